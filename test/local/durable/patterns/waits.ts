// Waiting: the monitor, human interaction with a deadline, several events, an activity with a timeout.
import { expect, test } from 'vitest';
import { days, hours, minutes, world } from './fixtures/office/world.ts';
import { engine, happened, inEveryMode, pass, run } from './rehearsal.ts';

inEveryMode('waits', () => {
  test('a monitor polls until its condition holds', async () => {
    const happens = engine.clock.now() + 2.25 * hours;
    expect((await run('monitor', happens)).output).toEqual({ alert: 'it has happened', polls: 6 });
    expect(engine.clock.now() - happens).toBeLessThan(30 * minutes);
  });

  test('a monitor gives up when its time is over', async () => {
    expect((await run('monitor', engine.clock.now() + 7 * hours)).output).toEqual({ alert: 'gave up' });
  });

  test.each([
    [true, 'process done'],
    [false, 'decline done'],
  ])('an approval that says %s in time is followed at once, and its deadline is cancelled', async (answer, output) => {
    await engine.start('approval', { instanceId: 'asked' });
    await pass(2 * days);
    await engine.raiseEvent('asked', 'answer', answer);
    expect((await engine.ended('asked')).output).toBe(output);
    expect(happened('asked', 'TimerFired')).toEqual([]);
    await engine.until(() => engine.isIdle, 'nothing is left to do');
    expect(engine.clock.iso()).toMatch(/^2030-01-03T00:00:0/);
  });

  test('nobody answers: the deadline escalates, once', async () => {
    expect((await run('approval')).output).toBe('escalate done');
    expect(engine.clock.iso()).toMatch(/^2030-01-04T00:00:0/);
    expect(happened('approval', 'TimerFired')).toHaveLength(1);
  });

  test('one deadline holds for several tries', async () => {
    const tries = async (instanceId: string, codes: number[]) => {
      await engine.start('verification', { instanceId, input: 4711 });
      for (const [number, code] of codes.entries()) await engine.raiseEvent(instanceId, 'response', { number, code });
      return (await engine.ended(instanceId)).output;
    };
    expect(await tries('second', [1, 4711])).toBe('verified');
    expect(await tries('never', [1, 2, 3])).toBe('refused');
    const before = engine.clock.now();
    expect(await tries('slow', [1, 2])).toBe('expired');
    expect(engine.clock.now() - before).toBeGreaterThanOrEqual(90_000);
  });

  test('all of several events are waited for, whenever and in whatever order they come', async () => {
    await engine.start('permit', { instanceId: 'house' });
    await engine.raiseEvent('house', 'building', 'c');
    await pass(30 * days);
    await engine.raiseEvent('house', 'planning', 'a');
    await engine.raiseEvent('house', 'fire', 'b');
    expect((await engine.ended('house')).output).toEqual(['a', 'b', 'c']);
  });

  test('of several events the first one wins', async () => {
    await engine.start('whoeverFirst', { instanceId: 'race' });
    await engine.raiseEvent('race', 'right', 1);
    expect((await engine.ended('race')).output).toEqual(['right', 1]);
  });

  test('a timeout that is cancelled does not fire, however long it goes on', async () => {
    expect((await run('quote', 1 * minutes)).output).toBe('at last');
    expect(happened('quote', 'TimerFired')).toEqual([]);
  });

  test('an activity that takes too long is left behind, not ended', async () => {
    expect((await run('quote', 2 * hours)).output).toBe('[without a quote]');
    await engine.until(() => engine.isIdle, 'the activity has come back');
    expect(world.done).toContain('dawdled');
    expect(engine.durable.status('quote')).toMatchObject({ runtimeStatus: 'Completed', output: '[without a quote]' });
  });
});
