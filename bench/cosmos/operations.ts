// The operations, each through the unmodified @azure/cosmos.
import { ChangeFeedStartFrom, type CosmosClient, type OperationInput } from '@azure/cosmos';
import { databaseName, documentOf, inBatch, scanned, sized, sizes } from './documents.ts';
import { measure } from './measure.ts';
import type { Row } from './row.ts';

const many = 16;

export const names = {
  upsertOne: 'upsert with If-Match, one at a time',
  upsert: `upsert with If-Match, ${many} at a time`,
  create: `create, ${many} at a time`,
  read: `point read, ${many} at a time`,
  patch: `patch, ${many} at a time`,
  batch: `batch of ${inBatch} creates`,
  query: 'query in one partition, filtered and ordered',
  selective: (count: number) => `selective query in one partition of ${count} documents`,
  scan: `all ${scanned.documents} documents over ${scanned.throughput / 10_000} partitions`,
  ordered: `the same, ordered by the client's merge, the first 100`,
  feed: 'a look at the change feed, nothing new',
} as const;

/** The first queries of a kind are slow and bring about an index, at the latest after a second. */
async function getIndexed(ask: (lane: number, turn: number) => Promise<unknown>): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await ask(0, turn);
  await new Promise((resolve) => setTimeout(resolve, 2500));
}

export async function throughClient(client: CosmosClient, serverPid: number, seconds: number): Promise<Row[]> {
  const database = client.database(databaseName);
  const items = database.container('items');
  const rows: Row[] = [];
  const run = async (
    what: string,
    work: (lane: number, turn: number) => Promise<unknown>,
    lanes = 1,
  ): Promise<void> => {
    rows.push(await measure(what, serverPid, { seconds, lanes }, work));
  };

  const etags: string[] = [];
  for (let lane = 0; lane < many; lane++) etags[lane] = (await items.items.create(documentOf(`u${lane}`, 0))).etag;
  const upsert = async (lane: number, turn: number): Promise<void> => {
    const accessCondition = { type: 'IfMatch', condition: etags[lane] ?? '' };
    const { etag } = await items.items.upsert({ ...documentOf(`u${lane}`, 0), turn }, { accessCondition });
    etags[lane] = etag;
  };
  // What both sides do for any request has been compiled once it is done one at a time.
  await run(names.upsert, upsert, many);
  await run(names.upsertOne, upsert);
  await run(names.create, (_, turn) => items.items.create(documentOf('created', turn)), many);
  await run(names.read, (lane) => items.item('d0', `u${lane}`).read(), many);
  await run(names.patch, (lane) => items.item('d0', `u${lane}`).patch([{ op: 'incr', path: '/n', value: 1 }]), many);
  await run(names.batch, (_, turn) => {
    const operations = Array.from({ length: inBatch }, (_, at): OperationInput => {
      return { operationType: 'Create', resourceBody: { ...documentOf(`b${turn}`, at) } };
    });
    return items.items.batch(operations, `b${turn}`);
  });
  const small = database.container(sized(sizes[0]));
  const between = 'SELECT * FROM c WHERE c.n >= @from AND c.n < @to ORDER BY c.n DESC';
  const ordered = (_: number, turn: number) => {
    const from = (turn * 7) % 900;
    const parameters = [
      { name: '@from', value: from },
      { name: '@to', value: from + 20 },
    ];
    return small.items.query({ query: between, parameters }, { partitionKey: 'one' }).fetchAll();
  };
  await getIndexed(ordered);
  await run(names.query, ordered);
  for (const size of sizes) {
    const container = database.container(sized(size));
    const ask = async (_: number, turn: number) => {
      const kind = `kind-${(turn * 7919) % (size / 10)}`;
      const spec = { query: 'SELECT * FROM c WHERE c.kind = @kind', parameters: [{ name: '@kind', value: kind }] };
      const { resources } = await container.items.query(spec, { partitionKey: 'one' }).fetchAll();
      if (resources.length !== 10) throw new Error(`${resources.length} documents of a kind instead of 10`);
    };
    await getIndexed(ask);
    await run(names.selective(size), ask);
  }
  const spread = database.container(scanned.container);
  await run(names.scan, () => spread.items.query('SELECT * FROM c').fetchAll());
  await run(names.ordered, () => spread.items.query('SELECT * FROM c ORDER BY c.n OFFSET 0 LIMIT 100').fetchAll());
  const feed = items.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Now() });
  await feed.readNext();
  await run(names.feed, () => feed.readNext());
  return rows;
}
