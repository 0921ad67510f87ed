import type { CosmosClientOptions, JSONValue, SqlParameter } from '@azure/cosmos';
import { beforeAll, describe, expect, it } from 'vitest';
import { openAccount, twoPartitions } from './account.ts';
import { hierarchical } from './containers.ts';

const { clientWith, create, database } = await openAccount();
const workloads = await create({
  id: 'workloads',
  partitionKey: hierarchical,
  throughput: twoPartitions,
  indexingPolicy: {
    compositeIndexes: [
      [
        { path: '/kind', order: 'ascending' },
        { path: '/version', order: 'descending' },
      ],
    ],
  },
});

const WAVES = ['w1', 'w2'];
const WORKLOADS = ['a', 'b', 'c'];
const PHASES = ['replicating', 'testing', 'attention'];

beforeAll(async () => {
  for (const waveId of WAVES) {
    for (const [at, workloadId] of WORKLOADS.entries()) {
      const common = { waveId, workloadId };
      const state = {
        id: 'state',
        kind: 'state',
        phase: PHASES[at] ?? '',
        sync: { status: at === 0 ? 'running' : 'idle', lag: at * 10 },
        tags: ['x', `tag-${at}`],
        disks: [{ size: at }, { size: 10 }],
        ...(at === 1 && { optional: null }),
      };
      const events = Array.from({ length: 5 }, (_, n) => ({ id: `e${n}`, kind: 'event', version: 5 - n, n }));
      const operations = [state, ...events].map((document) => ({
        operationType: 'Create' as const,
        resourceBody: { ...document, ...common },
      }));
      const { code } = await workloads.items.batch(operations, [waveId, workloadId]);
      expect(code).toBe(200);
    }
  }
});

const ask = async (
  query: string,
  options: { partitionKey?: string[]; maxItemCount?: number } = {},
  values: Record<string, JSONValue> = {},
) => {
  const parameters: SqlParameter[] = Object.entries(values).map(([name, value]) => ({ name: `@${name}`, value }));
  return (await workloads.items.query({ query, parameters }, options).fetchAll()).resources;
};
const text = (value: unknown) => JSON.stringify(value);
const one = { partitionKey: ['w1', 'a'] };

describe('a query in one partition', () => {
  it('filters and orders with parameters', async () => {
    const query = "SELECT * FROM c WHERE c.kind='event' AND c.version > @v ORDER BY c.version";
    const found = await ask(query, one, { v: 2 });
    expect(found.map(({ version }) => version)).toEqual([3, 4, 5]);
    expect(found[0]).toMatchObject({ waveId: 'w1', workloadId: 'a', _etag: expect.any(String) });
  });

  it.each([
    ["SELECT c.id, c.sync.status AS s FROM c WHERE c.id = 'state'", [{ id: 'state', s: 'running' }]],
    ["SELECT VALUE c.version FROM c WHERE c.kind = 'event' ORDER BY c.version DESC", [5, 4, 3, 2, 1]],
    ["SELECT TOP 2 VALUE c.version FROM c WHERE c.kind = 'event' ORDER BY c.version", [1, 2]],
    ["SELECT VALUE c.version FROM c WHERE c.kind = 'event' ORDER BY c.version OFFSET 1 LIMIT 2", [2, 3]],
    ["SELECT VALUE COUNT(1) FROM c WHERE c.kind = 'event'", [5]],
    ['SELECT COUNT(1) AS n, MAX(c.version) AS newest FROM c', [{ n: 6, newest: 5 }]],
    ['SELECT VALUE SUM(c.version) FROM c', [15]],
    ['SELECT VALUE MIN(c.version) FROM c', [1]],
    ['SELECT VALUE AVG(c.version) FROM c', [3]],
    ["SELECT VALUE AVG(c.version) FROM c WHERE c.kind = 'none'", []],
    ['SELECT DISTINCT VALUE c.kind FROM c', ['state', 'event']],
    ['SELECT VALUE t FROM c JOIN t IN c.tags', ['x', 'tag-0']],
    [
      'SELECT t AS tag, d.size FROM c JOIN t IN c.tags JOIN d IN c.disks WHERE d.size > 1',
      [
        { tag: 'x', size: 10 },
        { tag: 'tag-0', size: 10 },
      ],
    ],
    ['SELECT VALUE d.size FROM d IN c.disks', [0, 10]],
    ['SELECT VALUE s.lag FROM c.sync s', [0]],
    [
      'SELECT c.kind, COUNT(1) AS n FROM c GROUP BY c.kind',
      [
        { kind: 'state', n: 1 },
        { kind: 'event', n: 5 },
      ],
    ],
    [
      'SELECT VALUE ARRAY(SELECT VALUE d.size FROM d IN c.disks) FROM c WHERE EXISTS(SELECT VALUE d FROM d IN c.disks WHERE d.size = 10)',
      [[0, 10]],
    ],
    ['SELECT VALUE c.n FROM c WHERE c.n BETWEEN 1 AND 2 OR c.n IN (4)', [1, 2, 4]],
    ["SELECT VALUE c.id FROM c WHERE c.id LIKE 'e[1-2]'", ['e1', 'e2']],
    ["SELECT VALUE c.id FROM c WHERE c.id LIKE '%tat_'", ['state']],
    ["SELECT VALUE c.n % 2 = 0 ? 'even' : 'odd' FROM c WHERE c.n < 3", ['even', 'odd', 'even']],
    ["SELECT VALUE c.missing ?? 'default' FROM c WHERE c.id = 'state'", ['default']],
    [
      'SELECT VALUE {id: c.id, sum: c.n + c.version * 2, list: [c.n, c.missing]} FROM c WHERE c.n = 1',
      [{ id: 'e1', sum: 9, list: [1] }],
    ],
    [
      "SELECT VALUE c['id'] FROM c WHERE STARTSWITH(c.phase, 'REPL', true) AND CONTAINS(LOWER(c.phase), 'cat')",
      ['state'],
    ],
    [
      'SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.disks, {size: 10}, true) AND NOT IS_DEFINED(c.optional)',
      ['state'],
    ],
    ['SELECT VALUE 1 + 1', [2]],
  ])('%s', async (query, expected) => {
    expect(await ask(query, one)).toEqual(expected);
  });

  it('pages through ordered and unordered results with continuation tokens', async () => {
    for (const query of ['SELECT VALUE c.id FROM c', 'SELECT VALUE c.id FROM c ORDER BY c.id']) {
      const ids: string[] = [];
      let continuationToken: string | undefined;
      let pages = 0;
      do {
        // A new iterator each time: the token alone carries the position.
        const options = { ...one, maxItemCount: 4, ...(continuationToken && { continuationToken }) };
        const page = await workloads.items.query<string>(query, options).fetchNext();
        expect(page.resources.length).toBeLessThanOrEqual(4);
        ids.push(...page.resources);
        continuationToken = page.continuationToken;
        pages++;
      } while (continuationToken !== undefined && pages < 10);
      expect(pages).toBe(2);
      expect(ids.sort()).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'state']);
    }
  });

  it('neither repeats nor skips items when others are written between its pages', async () => {
    const waves = await create({ id: 'waves', partitionKey: '/waveId' });
    const add = (place: number) => waves.items.create({ id: `at-${place}`, place, waveId: 'w3' });
    for (const place of [10, 20, 30, 40]) await add(place);
    const query = 'SELECT TOP 4 VALUE c.place FROM c ORDER BY c.place';
    const iterator = waves.items.query<number>(query, { partitionKey: 'w3', maxItemCount: 2 });
    expect((await iterator.fetchNext()).resources).toEqual([10, 20]);
    await add(5);
    await add(25);
    expect((await iterator.fetchNext()).resources).toEqual([25, 30]);
    expect(iterator.hasMoreResults()).toBe(false);
  });

  it('a page may end in the middle of what one document joins to', async () => {
    const query = "SELECT VALUE {t: t, s: d.size} FROM c JOIN t IN c.tags JOIN d IN c.disks WHERE c.kind = 'state'";
    expect(await ask(query, { ...one, maxItemCount: 1 })).toEqual(await ask(query, one));
    expect(await ask(query, one)).toHaveLength(4);
  });
});

describe('a query over a prefix of a hierarchical key', () => {
  it('finds the wave and nothing else', async () => {
    const found = await ask('SELECT c.waveId, c.workloadId FROM c', { partitionKey: ['w2'] });
    expect(found).toHaveLength(18);
    expect(new Set(found.map(({ waveId }) => waveId))).toEqual(new Set(['w2']));
  });

  it('may order and count', async () => {
    const prefix = { partitionKey: ['w1'] };
    expect(await ask("SELECT VALUE COUNT(1) FROM c WHERE c.kind = 'event'", prefix)).toEqual([15]);
    const query = "SELECT VALUE c.sync.lag FROM c WHERE c.kind = 'state' ORDER BY c.sync.lag DESC";
    expect(await ask(query, prefix)).toEqual([20, 10, 0]);
  });
});

describe('a query over all partitions', () => {
  it('filters by nested properties and membership', async () => {
    const query = "SELECT * FROM c WHERE c.kind = 'state' AND c.sync.status = @s AND ARRAY_CONTAINS(@phases, c.phase)";
    const found = await ask(query, {}, { s: 'idle', phases: ['testing', 'tested'] });
    expect(found.map(({ waveId, workloadId }) => `${waveId}/${workloadId}`).sort()).toEqual(['w1/b', 'w2/b']);
    expect(await ask(query, {}, { s: 'idle', phases: [] })).toEqual([]);
  });

  it.each([
    ["SELECT VALUE COUNT(1) FROM c WHERE c.kind = 'event'", [30]],
    ['SELECT VALUE SUM(c.version) FROM c', [90]],
    ['SELECT VALUE MAX(c.version) FROM c', [5]],
    ['SELECT VALUE MIN(c.version) FROM c WHERE c.version > 2', [3]],
    ['SELECT VALUE AVG(c.version) FROM c', [3]],
    ['SELECT DISTINCT VALUE c.kind FROM c', ['state', 'event']],
    ["SELECT VALUE c.sync.lag FROM c WHERE c.kind = 'state' ORDER BY c.sync.lag DESC", [20, 20, 10, 10, 0, 0]],
    [
      'SELECT c.waveId, c.sync.lag FROM c WHERE c.sync.lag >= 20 OR c.sync.lag = 10 ORDER BY c.sync.lag',
      [
        { waveId: 'w1', lag: 10 },
        { waveId: 'w2', lag: 10 },
        { waveId: 'w1', lag: 20 },
        { waveId: 'w2', lag: 20 },
      ],
    ],
    ['SELECT TOP 3 VALUE c.version FROM c WHERE c.kind = "event" ORDER BY c.version DESC', [5, 5, 5]],
    ['SELECT TOP 7 VALUE c.kind FROM c WHERE c.kind = "event"', Array.from({ length: 7 }, () => 'event')],
    ['SELECT VALUE c.version FROM c WHERE c.kind = "event" ORDER BY c.version OFFSET 5 LIMIT 2', [1, 2]],
    [
      'SELECT c.kind, COUNT(1) AS n, SUM(c.version) AS sum FROM c GROUP BY c.kind',
      [
        { kind: 'state', n: 6, sum: 0 },
        { kind: 'event', n: 30, sum: 90 },
      ],
    ],
  ])('is merged by the client: %s', async (query, expected) => {
    // What the query leaves open is up to how keys lie in the partitions.
    const told = (results: unknown[]) => (query.includes('ORDER BY c.version') ? results : results.map(text).sort());
    expect(told(await ask(query))).toEqual(told(expected));
    expect(told(await ask(query, { maxItemCount: 2 }))).toEqual(told(expected));
  });

  it('takes no more than it was asked for from anywhere', async () => {
    expect(await ask('SELECT VALUE c.kind FROM c OFFSET 1 LIMIT 2')).toHaveLength(2);
    expect(await ask('SELECT VALUE c.kind FROM c OFFSET 35 LIMIT 5')).toHaveLength(1);
    expect(await ask('SELECT TOP 3 * FROM c', { maxItemCount: 2 })).toHaveLength(3);
  });

  it('orders a property by one type only, which the client says', async () => {
    await expect(ask('SELECT * FROM c ORDER BY c.version')).rejects.toThrow(/mixed types/);
  });

  it('keeps its parameters when the client rewrites it', async () => {
    const query = 'SELECT VALUE c.version FROM c WHERE c.version >= @least ORDER BY c.version';
    expect(await ask(query, {}, { least: 5 })).toEqual([5, 5, 5, 5, 5, 5]);
  });

  it.each(['ASC', 'DESC'])('with query control %s is resumable by the client’s own token', async (direction) => {
    const query = `SELECT VALUE c.version FROM c WHERE IS_DEFINED(c.version) ORDER BY c.version ${direction}`;
    const versions: number[] = [];
    let continuationToken: string | undefined;
    do {
      const options = { enableQueryControl: true, maxItemCount: 7, ...(continuationToken && { continuationToken }) };
      const page = await workloads.items.query<number>(query, options).fetchNext();
      versions.push(...page.resources);
      continuationToken = page.continuationToken;
    } while (continuationToken !== undefined && versions.length < 40);
    const expected = [1, 2, 3, 4, 5].flatMap((version) => Array.from({ length: 6 }, () => version));
    expect(versions).toEqual(direction === 'ASC' ? expected : expected.reverse());
  });

  it('sorts by several properties where a composite index allows it, and not otherwise', async () => {
    const query = "SELECT c.kind, c.version FROM c WHERE c.kind = 'event' ORDER BY c.kind, c.version DESC";
    const found = await ask(query);
    expect(found[0]).toEqual({ kind: 'event', version: 5 });
    expect(found.map(({ version }) => version)).toEqual(
      [5, 4, 3, 2, 1].flatMap((version) => Array.from({ length: 6 }, () => version)),
    );
    await expect(ask('SELECT * FROM c ORDER BY c.kind, c.version')).rejects.toMatchObject({ code: 400 });
  });
});

describe('a query over all partitions that needs merging', () => {
  it.each([
    ['SELECT * FROM c ORDER BY c.id', 1004],
    ['SELECT VALUE COUNT(1) FROM c', 1004],
    ['SELECT TOP 1 * FROM c', 1004],
    ['SELECT DISTINCT VALUE c.kind FROM c', 1004],
    ['SELECT * FROM c OFFSET 0 LIMIT 1', 1004],
    ['SELECT c.kind, COUNT(1) AS n FROM c GROUP BY c.kind', undefined],
  ])('is refused at first as the service’s gateway refuses it: %s', async (query, substatus) => {
    const refusals: unknown[] = [];
    const plugin = async (context: unknown, _: unknown, next: (context: unknown) => Promise<unknown>) => {
      try {
        return await next(context);
      } catch (error) {
        refusals.push(error);
        throw error;
      }
    };
    // The option is there, but not in the declared type.
    const watched = clientWith({ plugins: [{ on: 'request', plugin }] } as Partial<CosmosClientOptions>);
    await watched.database(database.id).container('workloads').items.query(query).fetchAll();
    expect(refusals).toEqual([expect.objectContaining({ code: 400, substatus })]);
  });

  it('cannot aggregate beside VALUE, which the client says', async () => {
    await expect(ask('SELECT COUNT(1) AS n FROM c')).rejects.toThrow(/VALUE/);
  });
});

describe('a query that the server does not understand', () => {
  it.each([
    ['SELECT * FRM c', 'FRM'],
    ['SELECT * FROM c WHERE', 'end of query'],
    ['SELECT c.order FROM c', 'order'],
    ['SELECT * FROM c WHERE NO_SUCH(c.x)', 'NO_SUCH'],
    ['SELECT * FROM c WHERE d.x = 1', "'d'"],
    ['SELECT * FROM c WHERE c.x = @missing', '@missing'],
    ['SELECT VALUE udf.mine(c) FROM c', 'User-defined'],
    ['SELECT * FROM c ORDER BY c.a + 1', 'ORDER BY'],
  ])('is 400 and says where: %s', async (query, near) => {
    await expect(ask(query, one)).rejects.toMatchObject({
      code: 400,
      body: { message: expect.stringContaining(near) },
    });
    await expect(ask(query)).rejects.toMatchObject({ code: 400 });
  });
});
