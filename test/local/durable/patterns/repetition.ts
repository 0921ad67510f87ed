// Eternal orchestrations, an aggregator without an entity, the singleton.
import { expect, test } from 'vitest';
import { hours, minutes } from './fixtures/office/world.ts';
import { engine, happened, inEveryMode, pass, run } from './rehearsal.ts';

inEveryMode('repetition', (options) => {
  test('periodic work never overlaps itself and its history does not grow', async () => {
    const starts = (await run('cleanup', { starts: [], rounds: 12 })).output as number[];
    const gaps = starts.slice(1).map((start, index) => Math.floor((start - (starts[index] ?? 0)) / minutes));
    expect(gaps).toHaveLength(11);
    // An activity whose end a crash takes back begins its half hour again.
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(90);
    if (!options.faults) expect(Math.max(...gaps)).toBe(90);
    expect(happened('cleanup', 'TimerFired')).toHaveLength(1);
  });

  test('an eternal orchestration runs until it is terminated', async () => {
    await engine.start('cleanup', { instanceId: 'forever' });
    await pass(10 * hours);
    expect(engine.durable.status('forever')).toMatchObject({ runtimeStatus: 'Running' });
    await engine.terminate('forever', 'enough');
    expect(await engine.ended('forever')).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
    await engine.until(() => engine.isIdle, 'nothing is left to do');
  });

  test('an aggregator loses no event however often it begins again, and counts a repeated one once', async () => {
    await engine.start('till', { instanceId: 'shop' });
    await engine.raiseEvent('shop', 'close', 12);
    const deposit = (number: number) => engine.raiseEvent('shop', 'deposit', { id: `d${number}`, amount: number });
    for (const burst of [[0], [1, 2, 3, 1, 4, 5], [6, 5, 7, 8], [9, 10, 11]]) {
      await pass(1 * minutes);
      await Promise.all(burst.map(deposit));
    }
    expect(await engine.ended('shop')).toMatchObject({ output: 66, customStatus: { deposits: 11 } });
  });

  test('of a singleton there is one at a time', async () => {
    await engine.start('permit', { instanceId: 'the one' });
    await pass(1 * hours);
    await expect(engine.durable.start('chain', { instanceId: 'the one' })).rejects.toMatchObject({ status: 409 });
    for (const gate of ['planning', 'fire', 'building']) await engine.raiseEvent('the one', gate, gate);
    await engine.ended('the one');
    await engine.start('chain', { instanceId: 'the one', input: 'next' });
    expect(await engine.ended('the one')).toMatchObject({ name: 'chain', output: '[NEXT]' });
  });
});
