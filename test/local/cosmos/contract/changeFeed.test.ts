import { randomUUID } from 'node:crypto';
import { ChangeFeedStartFrom, type Container } from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { openAccount, twoPartitions } from './account.ts';
import { hierarchical } from './containers.ts';

const { create, later } = await openAccount();
const fresh = () => create({ id: randomUUID(), partitionKey: '/p' });
const fromBeginning = { changeFeedStartFrom: ChangeFeedStartFrom.Beginning() };

const ids = (result: { id: string }[]) => result.map(({ id }) => id);

/** All that a feed has to tell now. */
async function drain(container: Container, options: Parameters<Container['items']['getChangeFeedIterator']>[0]) {
  const seen: { id: string }[] = [];
  let continuation = '';
  for await (const page of container.items.getChangeFeedIterator(options).getAsyncIterator()) {
    continuation = page.continuationToken;
    if (page.statusCode === 304) break;
    seen.push(...page.result);
  }
  return { seen, continuation };
}

describe('the change feed of a container', () => {
  it('tells every item once, in the order of its last change, and then nothing with 304', async () => {
    const container = await fresh();
    await container.items.create({ id: 'a', p: 'w1', v: 1 });
    await container.items.create({ id: 'b', p: 'w2', v: 1 });
    await container.items.upsert({ id: 'a', p: 'w1', v: 2 });
    const iterator = container.items.getChangeFeedIterator(fromBeginning);
    const page = await iterator.readNext();
    expect(page.result).toMatchObject([
      { id: 'b', v: 1, _lsn: expect.any(Number) },
      { id: 'a', v: 2 },
    ]);
    expect((await iterator.readNext()).statusCode).toBe(304);

    await container.items.create({ id: 'c', p: 'w3' });
    expect(ids((await iterator.readNext()).result)).toEqual(['c']);
  });

  it('goes on from a continuation in another iterator, page by page', async () => {
    const container = await fresh();
    for (let at = 0; at < 5; at++) await container.items.create({ id: `s${at}`, p: at });
    const seen: string[] = [];
    let from = ChangeFeedStartFrom.Beginning();
    for (;;) {
      const options = { maxItemCount: 2, changeFeedStartFrom: from };
      const page = await container.items.getChangeFeedIterator(options).readNext();
      if (page.statusCode === 304) break;
      expect(page.count).toBeLessThanOrEqual(2);
      seen.push(...ids(page.result));
      from = ChangeFeedStartFrom.Continuation(page.continuationToken);
    }
    expect(seen).toEqual(['s0', 's1', 's2', 's3', 's4']);
  });

  it('from now it tells only what comes after the first look', async () => {
    const container = await fresh();
    await container.items.create({ id: 'earlier' });
    const iterator = container.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Now() });
    expect((await iterator.readNext()).statusCode).toBe(304);
    await container.items.create({ id: 'later' });
    expect(ids((await iterator.readNext()).result)).toEqual(['later']);
  });

  it('from a time it tells what has changed since', async () => {
    const container = await fresh();
    const { resource } = await container.items.create({ id: 'old' });
    await later(2000);
    await container.items.create({ id: 'recent' });
    const since = new Date(((resource?._ts ?? 0) + 1) * 1000);
    const iterator = container.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Time(since) });
    expect(ids((await iterator.readNext()).result)).toEqual(['recent']);
  });

  it('never parts a transaction between two pages, and numbers all of it alike', async () => {
    const container = await fresh();
    const operations = ['1', '2', '3'].map((id) => ({
      operationType: 'Create' as const,
      resourceBody: { id, p: 'batch' },
    }));
    await container.items.batch(operations, 'batch');
    await container.items.create({ id: '4', p: 'batch' });
    const iterator = container.items.getChangeFeedIterator({ ...fromBeginning, maxItemCount: 1 });
    const first = await iterator.readNext();
    expect(ids(first.result)).toEqual(['1', '2', '3']);
    expect(new Set(first.result.map((item: object) => '_lsn' in item && item._lsn)).size).toBe(1);
    expect(ids((await iterator.readNext()).result)).toEqual(['4']);
  });

  it('does not tell of a deletion, and forgets what is deleted', async () => {
    const container = await fresh();
    await container.items.create({ id: 'gone', p: 1 });
    await container.items.create({ id: 'kept', p: 1 });
    await container.item('gone', 1).delete();
    expect(ids((await drain(container, fromBeginning)).seen)).toEqual(['kept']);
  });
});

describe('the change feed of a part of a container', async () => {
  const workloads = await create({ id: 'workloads', partitionKey: hierarchical, throughput: twoPartitions });
  const keys = [['w1', 'x'], ['w1', 'y'], ...Array.from({ length: 20 }, (_, at) => [`other-${at}`, 'x'])];
  for (const [waveId = '', workloadId = ''] of keys) {
    await workloads.items.create({ id: `${waveId}/${workloadId}`.replace('/', '-'), waveId, workloadId });
  }

  it.each([
    ['a full key', ['w1', 'x'], ['w1-x']],
    ['a prefix of the key', ['w1'], ['w1-x', 'w1-y']],
  ])('can be asked for %s', async (_, key, expected) => {
    const iterator = workloads.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(key) });
    expect(ids((await iterator.readNext()).result).sort()).toEqual(expected);
    expect((await iterator.readNext()).statusCode).toBe(304);
  });

  it('range by range it tells each item once, and goes on by the token of its range', async () => {
    const ranges = await workloads.getFeedRanges();
    expect(ranges).toHaveLength(2);
    const parts = [];
    for (const range of ranges) {
      const options = { changeFeedStartFrom: ChangeFeedStartFrom.Beginning(range), maxItemCount: 3 };
      parts.push(await drain(workloads, options));
    }
    expect(parts.every(({ seen }) => seen.length > 0)).toBe(true);
    expect(parts.flatMap(({ seen }) => ids(seen))).toHaveLength(keys.length);
    expect(new Set(parts.flatMap(({ seen }) => ids(seen))).size).toBe(keys.length);

    await workloads.items.create({ id: 'new', waveId: 'w1', workloadId: 'z' });
    const news = [];
    for (const { continuation } of parts) {
      const options = { changeFeedStartFrom: ChangeFeedStartFrom.Continuation(continuation) };
      news.push(...ids((await drain(workloads, options)).seen));
    }
    expect(news).toEqual(['new']);
  });

  it('over several ranges at once it tells each item once', async () => {
    const { seen } = await drain(workloads, { ...fromBeginning, maxItemCount: 4 });
    expect(new Set(ids(seen)).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(keys.length);
  });
});
