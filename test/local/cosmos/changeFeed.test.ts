import { ChangeFeedMode, ChangeFeedStartFrom } from '@azure/cosmos';
import { describe, expect, it } from 'vitest';
import { startWithKey } from './fixture.ts';

let now = Date.now();
const { container } = await startWithKey({ clock: () => now });
const workloads = container('workloads');
const waves = container('waves');
const sources = container('sources');

const ids = (result: { id: string }[]) => result.map(({ id }) => id);

describe('the change feed of a container', () => {
  it('tells every item once, in the order of its last change, and then nothing with 304', async () => {
    await waves.items.create({ id: 'a', waveId: 'w1', v: 1 });
    await waves.items.create({ id: 'b', waveId: 'w2', v: 1 });
    await waves.items.upsert({ id: 'a', waveId: 'w1', v: 2 });
    const iterator = waves.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning() });
    const page = await iterator.readNext();
    expect(page.result).toMatchObject([
      { id: 'b', v: 1, _lsn: 2 },
      { id: 'a', v: 2, _lsn: 3 },
    ]);
    expect((await iterator.readNext()).statusCode).toBe(304);

    await waves.items.create({ id: 'c', waveId: 'w3' });
    expect(ids((await iterator.readNext()).result)).toEqual(['c']);
  });

  it('goes on from a continuation in another iterator, page by page', async () => {
    for (let at = 0; at < 5; at++) await sources.items.create({ id: `s${at}` });
    const seen: string[] = [];
    let from = ChangeFeedStartFrom.Beginning();
    for (;;) {
      const page = await sources.items.getChangeFeedIterator({ maxItemCount: 2, changeFeedStartFrom: from }).readNext();
      if (page.statusCode === 304) break;
      expect(page.count).toBeLessThanOrEqual(2);
      seen.push(...ids(page.result));
      from = ChangeFeedStartFrom.Continuation(page.continuationToken);
    }
    expect(seen).toEqual(['s0', 's1', 's2', 's3', 's4']);
  });

  it('from now it tells only what comes after the first look', async () => {
    const iterator = sources.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Now() });
    expect((await iterator.readNext()).statusCode).toBe(304);
    await sources.items.create({ id: 'later' });
    expect(ids((await iterator.readNext()).result)).toEqual(['later']);
  });

  it('from a time it tells what has changed since', async () => {
    now += 60_000;
    const since = new Date(now);
    await sources.items.create({ id: 'recent' });
    const iterator = sources.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Time(since) });
    expect(ids((await iterator.readNext()).result)).toEqual(['recent']);
  });

  it('never parts a transaction between two pages', async () => {
    const operations = ['1', '2', '3'].map((id) => ({
      operationType: 'Create' as const,
      resourceBody: { id, waveId: 'w1', workloadId: 'batch' },
    }));
    await workloads.items.batch(operations, ['w1', 'batch']);
    await workloads.items.create({ id: '4', waveId: 'w1', workloadId: 'batch' });
    const changeFeedStartFrom = ChangeFeedStartFrom.Beginning();
    const iterator = workloads.items.getChangeFeedIterator({ changeFeedStartFrom, maxItemCount: 1 });
    expect(ids((await iterator.readNext()).result)).toEqual(['1', '2', '3']);
    expect(ids((await iterator.readNext()).result)).toEqual(['4']);
  });

  it.each([
    ['a full key', ['w8', 'x'], ['x1']],
    ['a prefix of the key', ['w8'], ['x1', 'y1']],
  ])('can be asked for %s', async (_, key, expected) => {
    for (const [waveId, workloadId] of [
      ['w8', 'x'],
      ['w8', 'y'],
      ['w9', 'x'],
    ] as const) {
      await workloads.items.upsert({ id: `${workloadId}1`, waveId, workloadId });
    }
    const iterator = workloads.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning(key) });
    expect(ids((await iterator.readNext()).result)).toEqual(expected);
    expect((await iterator.readNext()).statusCode).toBe(304);
  });

  it('of all versions and deletes is refused clearly', async () => {
    const full = sources.items.getChangeFeedIterator({
      changeFeedMode: ChangeFeedMode.AllVersionsAndDeletes,
      changeFeedStartFrom: ChangeFeedStartFrom.Now(),
    });
    await expect(full.readNext()).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining('not supported'),
    });
  });
});
