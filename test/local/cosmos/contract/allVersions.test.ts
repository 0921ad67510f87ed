import {
  ChangeFeedMode,
  ChangeFeedPolicy,
  ChangeFeedRetentionTimeSpan,
  ChangeFeedStartFrom,
  type OperationInput,
} from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { openAccount, twoPartitions } from './account.ts';

interface Told {
  current?: { id: string; v?: number };
  previous?: { id: string; v?: number };
  metadata: {
    operationType: string;
    lsn: number;
    crts: number;
    previousImageLSN?: number;
    timeToLiveExpired?: boolean;
  };
}

const { create, later } = await openAccount();
const container = await create({
  id: 'kept',
  partitionKey: '/p',
  defaultTtl: -1,
  throughput: twoPartitions,
  changeFeedPolicy: new ChangeFeedPolicy(ChangeFeedRetentionTimeSpan.fromMinutes(10)),
});
const changeFeedMode = ChangeFeedMode.AllVersionsAndDeletes;

/** A reader that starts now, and what it is told afterwards. */
async function follow() {
  const iterator = container.items.getChangeFeedIterator<Told>({
    changeFeedMode,
    changeFeedStartFrom: ChangeFeedStartFrom.Now(),
  });
  await iterator.readNext();
  return async () => {
    const told: Told[] = [];
    for (;;) {
      const page = await iterator.readNext();
      if (page.statusCode === 304) return told;
      told.push(...page.result);
    }
  };
}

describe('the change feed of all versions and deletes', () => {
  it('tells each version and the deletion, with what was before', async () => {
    const told = await follow();
    await container.items.create({ id: 'a', p: 1, v: 1 });
    await container.items.upsert({ id: 'a', p: 1, v: 2 });
    await container.item('a', 1).patch([{ op: 'incr', path: '/v', value: 1 }]);
    await container.item('a', 1).delete();
    const changes = await told();
    expect(changes.map(({ metadata }) => metadata.operationType)).toEqual(['create', 'replace', 'replace', 'delete']);
    expect(changes.slice(0, 3).map(({ current }) => current?.v)).toEqual([1, 2, 3]);
    expect(changes[3]?.previous).toMatchObject({ id: 'a', v: 3 });
    expect(changes[3]?.metadata.previousImageLSN).toBe(changes[2]?.metadata.lsn);
    expect(changes.every(({ metadata }) => metadata.crts > 1_700_000_000)).toBe(true);
  });

  it('goes on from a continuation, over several partitions', async () => {
    const iterator = container.items.getChangeFeedIterator<Told>({
      changeFeedMode,
      changeFeedStartFrom: ChangeFeedStartFrom.Now(),
    });
    const { continuationToken } = await iterator.readNext();
    for (let p = 0; p < 12; p++) await container.items.create({ id: 'x', p: `p${p}` });
    const changeFeedStartFrom = ChangeFeedStartFrom.Continuation(continuationToken);
    const again = container.items.getChangeFeedIterator<Told>({ changeFeedMode, changeFeedStartFrom, maxItemCount: 5 });
    let count = 0;
    for await (const page of again.getAsyncIterator()) {
      if (page.statusCode === 304) break;
      expect(page.count).toBeLessThanOrEqual(5);
      count += page.count;
    }
    expect(count).toBe(12);
  });

  it('tells nothing of a batch that failed', async () => {
    const told = await follow();
    const operations: OperationInput[] = ['b1', 'b1'].map((id) => ({
      operationType: 'Create',
      resourceBody: { id, p: 'batch' },
    }));
    expect((await container.items.batch(operations, 'batch')).code).toBe(207);
    await container.items.create({ id: 'after', p: 'batch' });
    expect((await told()).map(({ current }) => current?.id)).toEqual(['after']);
  });

  it('tells of an item that has expired', async () => {
    const told = await follow();
    await container.items.create({ id: 'short', p: 1, ttl: 2 });
    await later(4000);
    await expect
      .poll(async () => (await told()).find(({ metadata }) => metadata.timeToLiveExpired), { timeout: 15_000 })
      .toMatchObject({ previous: { id: 'short' }, metadata: { operationType: 'delete' } });
  });

  it('cannot start at the beginning', async () => {
    const options = { changeFeedMode, changeFeedStartFrom: ChangeFeedStartFrom.Beginning() };
    await expect(container.items.getChangeFeedIterator(options).readNext()).rejects.toMatchObject({ code: 400 });
  });
});
