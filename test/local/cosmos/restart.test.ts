import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeFeedStartFrom, CosmosClient } from '@azure/cosmos';
import { afterAll, expect, it } from 'vitest';
import { startCosmos } from '../../../local/cosmos/server.ts';
import { databases, masterKey } from './declarations.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'cosmos-restart-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function start() {
  const server = await startCosmos({ dataDir, databases, masterKey });
  const client = new CosmosClient({ endpoint: server.endpoint, key: masterKey });
  return { kept: client.database('test').container('kept'), stop: () => server.stop() };
}

it('queries, change feeds, partitions and throughput go on where they were after a restart', async () => {
  const first = await start();
  const numbers = Array.from({ length: 9 }, (_, n) => n);
  for (const n of numbers) await first.kept.items.create({ id: `i${n}`, waveId: 'w', n });
  const plain = { partitionKey: 'w', maxItemCount: 4 };
  const ordered = { enableQueryControl: true, maxItemCount: 4 };
  const [inOne, overAll] = ['SELECT VALUE c.n FROM c ORDER BY c.n DESC', 'SELECT VALUE c.n FROM c ORDER BY c.n'];
  const page = await first.kept.items.query<number>(inOne, plain).fetchNext();
  const merged = await first.kept.items.query<number>(overAll, ordered).fetchNext();
  const feed = await first.kept.items
    .getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(), maxItemCount: 9 })
    .readNext();
  const { resource, offer } = await first.kept.readOffer();
  await offer!.replace({ ...resource!, content: { ...resource!.content!, offerThroughput: 30_000 } });
  const ranges = await first.kept.getFeedRanges();
  await first.stop();

  const second = await start();
  const rest = await second.kept.items
    .query<number>(inOne, { ...plain, maxItemCount: 9, continuationToken: page.continuationToken })
    .fetchNext();
  expect([...page.resources, ...rest.resources]).toEqual(numbers.toReversed());
  const { continuationToken } = merged;
  const goingOn = second.kept.items.query<number>(overAll, { ...ordered, maxItemCount: 9, continuationToken });
  expect([...merged.resources, ...(await goingOn.fetchNext()).resources]).toEqual(numbers);
  await second.kept.items.create({ id: 'new', waveId: 'w' });
  const changeFeedStartFrom = ChangeFeedStartFrom.Continuation(feed.continuationToken);
  const told: string[] = [];
  for await (const { statusCode, result } of second.kept.items
    .getChangeFeedIterator({ changeFeedStartFrom })
    .getAsyncIterator()) {
    if (statusCode === 304) break;
    told.push(...result.map(({ id }: { id: string }) => id));
  }
  expect(told).toEqual(['new']);
  expect((await second.kept.readOffer()).resource?.content?.offerThroughput).toBe(30_000);
  expect(await second.kept.getFeedRanges()).toHaveLength(3);
  expect(ranges).not.toHaveLength(0);
  await second.stop();
});
