// Retries of activities and sub-orchestrations, error handling, compensation.
import { expect, test } from 'vitest';
import { world } from './fixtures/office/world.ts';
import { effects, engine, happened, inEveryMode, run, waited } from './rehearsal.ts';

const opensIn = (seconds: number) => engine.clock.now() + seconds * 1000;

inEveryMode('failures', () => {
  test('a retried activity waits longer each time, and the next task finds its own result', async () => {
    expect((await run('visitor', { opens: opensIn(12), first: 1000, attempts: 9, factor: 2 })).output).toBe('[open]');
    expect(waited('visitor')).toEqual([1, 2, 4, 8]);
    expect(happened('visitor', 'TaskFailed')).toHaveLength(4);
  });

  test('retries wait no longer than the longest interval', async () => {
    const patience = { opens: opensIn(20), first: 1000, attempts: 9, factor: 10, longest: 6000 };
    expect((await run('visitor', patience)).output).toBe('[open]');
    expect(waited('visitor')).toEqual([1, 6, 6, 6, 6]);
  });

  test('without a coefficient every interval is the first one', async () => {
    expect((await run('visitor', { opens: opensIn(8), first: 3000, attempts: 9 })).output).toBe('[open]');
    expect(waited('visitor')).toEqual([3, 3, 3]);
  });

  test('after its last attempt a retried activity fails its orchestration with the last reason', async () => {
    const ended = await run('visitor', { opens: opensIn(999), first: 1000, attempts: 3 });
    expect(ended).toMatchObject({ runtimeStatus: 'Failed', output: expect.stringContaining('closed') });
    expect(happened('visitor', 'TaskFailed')).toHaveLength(3);
  });

  test('a sub-orchestration is tried again, too, each time as a new instance', async () => {
    expect((await run('sender', { opens: opensIn(5), first: 1000, attempts: 9, factor: 2 })).output).toBe('[open]');
    expect(waited('sender')).toEqual([1, 2, 4]);
    const { instances } = engine.durable.query({});
    expect(instances.map(({ name, runtimeStatus }) => `${name} ${runtimeStatus}`).sort()).toEqual([
      ...['knocker Completed', 'knocker Failed', 'knocker Failed', 'knocker Failed', 'sender Completed'],
    ]);
  });

  test('retries end when their time is over, though attempts are left', async () => {
    const patience = { opens: opensIn(999), first: 4000, attempts: 12, timeout: 10_000 };
    expect((await run('sender', patience)).output).toMatch(/^\[gave up: .*closed/);
    expect(engine.durable.query({ runtimeStatus: ['Failed'] }).instances).toHaveLength(4);
  });

  test('what was taken is given back when the second half fails', async () => {
    expect((await run('transfer')).output).toBe('transferred');
    world.done = [];
    world.isBroken = (name) => name === 'credit destination';
    expect((await run('transfer')).output).toBe('given back');
    expect(effects()).toEqual(['debit source', 'credit source']);
  });

  test('what succeeded is undone in reverse, and the reason of the failure survives that', async () => {
    world.isBroken = (name) => name === 'book car';
    const output = expect.stringContaining('book car is broken');
    expect(await run('trip')).toMatchObject({ runtimeStatus: 'Failed', output });
    expect(effects()).toEqual(['book flight', 'book hotel', 'cancel hotel', 'cancel flight']);
  });

  test('all() fails as soon as one fails, and the others can still be waited for', async () => {
    world.isBroken = () => true;
    expect((await run('together')).output).toEqual(['Broken', 'at last']);
  });
});
