import { afterEach, beforeEach, expect, test } from 'vitest';
import { effects } from './fixtures/everything/effects.ts';
import { startEngine, type TestEngine, until } from './testEngine.ts';

let running: TestEngine;
beforeEach(async () => {
  running = await startEngine();
});
afterEach(async () => {
  await running.engine.stop();
});

async function run(name: string, input?: unknown, instanceId?: string) {
  const id = await running.client.start(name, { input, ...(instanceId !== undefined && { instanceId }) });
  return await running.client.whenEnded(id);
}

/** Advances the clock to each alarm until the instance has ended. */
async function runThroughTimers(name: string, input: unknown, instanceId: string) {
  const id = await running.client.start(name, { input, instanceId });
  const ended = running.client.whenEnded(id);
  let done = false;
  void ended.then(() => {
    done = true;
  });
  await until(() => {
    if (running.clock.next !== undefined) running.clock.advance(running.clock.next - running.clock.now());
    return done;
  }, `${name} ends`);
  return await ended;
}

test('inputs and results of every JSON type cross unchanged', async () => {
  expect(await run('sequence')).toMatchObject({ runtimeStatus: 'Completed', output: [1, { x: 'é"' }, 'text', null] });
});

test('a fan-out keeps the order of its tasks', async () => {
  expect((await run('fanOut', 60)).output).toEqual(Array.from({ length: 60 }, (_, index) => index));
});

test('activity failures reach the orchestrator whole, with the properties of the exception provider', async () => {
  expect((await run('catches')).output).toEqual([
    { errorType: 'TypeError', errorMessage: 'plain trouble', hasStack: true },
    {
      errorType: 'Refused',
      errorMessage: 'refused: E42',
      properties: { code: 'E42', nested: { deep: [1, 2] } },
      hasStack: true,
    },
    { errorType: 'FunctionNotFound', errorMessage: 'The activity function "missing" does not exist.', hasStack: false },
  ]);
});

test('an uncaught failure ends the instance as failed and says why', async () => {
  const failed = await run('throws');
  expect(failed).toMatchObject({
    runtimeStatus: 'Failed',
    output: "Orchestrator function 'throws' failed: own trouble",
  });
});

test('retried activities count their delays as the SDK does, so later tasks still match', async () => {
  const ended = await runThroughTimers('retries', { times: 2, attempts: 3 }, 'retry-ok');
  expect(ended.output).toEqual(['retry-ok-a', 'beside', 'retry-ok-b', 'after']);
  expect(effects.runs.get('retry-ok-a')).toBe(3);
});

test('a retried activity that never succeeds fails after its last attempt', async () => {
  const ended = await runThroughTimers('retries', { times: 9, attempts: 2 }, 'retry-bad');
  expect(ended).toMatchObject({ runtimeStatus: 'Failed' });
  expect(ended.output).toContain('is not ready');
  expect(effects.runs.get('retry-bad-a')).toBe(2);
});

test('no attempt starts after the retry timeout, and what follows still matches', async () => {
  const { output } = await runThroughTimers('expiring', undefined, 'expiring');
  expect(output).toEqual([expect.stringContaining('expiring is not ready'), 'then! of a parent', 'after']);
  // At 0, 400, 800 and 1200 ms: the delay that began before the timeout is still waited for.
  expect(effects.runs.get('expiring')).toBe(4);
});

test('an orchestration that catches a retried failure goes on with the right numbers', async () => {
  expect((await runThroughTimers('givesUp', undefined, 'gives-up')).output).toEqual([2, 'after']);
});

test('a failure under a retry policy that comes in one batch behind another completion keeps its place', async () => {
  const { client, engine } = running;
  const ended = runThroughTimers('mixed', undefined, 'mix');
  const plain = await until(() => effects.held.get('mix-plain'), 'the plain activity starts');
  const retried = await until(() => effects.held.get('mix-retried'), 'the retried activity starts');
  await client.suspend('mix', 'gather');
  await until(() => client.status('mix')?.runtimeStatus === 'Suspended', 'it is suspended');
  plain();
  await until(() => engine.store.inbox('mix').length === 1, 'the result waits');
  retried();
  await until(() => engine.store.inbox('mix').length === 2, 'the failure waits behind it');
  await client.resume('mix', 'go');
  expect((await ended).output).toEqual(['between', 'mix-retried']);
});

test('sub-orchestrations return, fail with details, and are tried again under a policy', async () => {
  const ended = await runThroughTimers('parent', undefined, 'family');
  expect(ended.output).toEqual({
    one: 'one! of a parent',
    two: 'two! of a parent',
    failure: { code: 'E7', nested: { deep: [1, 2] } },
    retried: 'try 2',
  });
  expect(running.client.status('family-two')).toMatchObject({ name: 'child', runtimeStatus: 'Completed' });
});

test('a timer longer than a month fires once its time has come, not before', async () => {
  const id = await running.client.start('sleeps', { input: 400 });
  await until(() => running.clock.next, 'the timer is stored');
  running.clock.advance(399 * 86_400_000);
  expect(running.client.status(id)?.runtimeStatus).toBe('Running');
  running.clock.advance(86_400_000);
  expect((await running.client.whenEnded(id)).output).toBe(400);
});

test('an approval before its deadline cancels the timer', async () => {
  const id = await running.client.start('deadline');
  await until(() => running.clock.next, 'the timer is stored');
  await running.client.raiseEvent(id, 'approval', { by: 'ada' });
  expect((await running.client.whenEnded(id)).output).toEqual([{ by: 'ada' }, 'went on']);
  expect(running.engine.store.nextTimer()).toBeUndefined();
});

test('a deadline that passes first wins', async () => {
  expect((await runThroughTimers('deadline', undefined, 'late')).output).toBe('too late');
});

test('compounds may nest, and a task yielded twice is scheduled once', async () => {
  const id = await running.client.start('nested', { instanceId: 'nest' });
  await running.client.raiseEvent(id, 'go', 1);
  const release = await until(() => effects.held.get('nest-slow'), 'the slow activity starts');
  // Let the orchestration see the fast task and yield the slow one again beside a new one.
  await until(() => running.engine.instances.peek(id)?.progress.nextId === 5, 'both activities are scheduled');
  release();
  expect((await running.client.whenEnded(id)).output).toEqual([['x', [1]], 'nest-slow', 'z']);
});

test('events that arrive before anybody waits are kept, and two of one name keep their order', async () => {
  const { clock, client } = running;
  expect(clock.now()).toBeGreaterThan(0);
  const id = await client.start('collects');
  await Promise.all([
    client.raiseEvent(id, 'item', 'a'),
    client.raiseEvent(id, 'item', 'b'),
    client.raiseEvent(id, 'item', 'c'),
  ]);
  expect((await client.whenEnded(id)).output).toEqual(['a', 'b', 'c']);
});

test('an event that arrives between the decision to wait and the storing of that decision is delivered', async () => {
  const { client, before } = running;
  let raised: Promise<void> | undefined;
  before.invoke = ({ kind, instanceId }) => {
    // The orchestrator is about to decide to wait; its decision is stored only after this episode.
    if (kind === 'orchestration' && !raised) raised = client.raiseEvent(instanceId, 'first', 'in between');
  };
  const id = await client.start('two', { instanceId: 'race' });
  expect((await client.whenEnded(id)).output).toEqual(['in between', 1]);
  await raised;
});

test('continue-as-new keeps the events that its execution has not read, in order', async () => {
  const { client } = running;
  const id = await client.start('eternal', { input: { seen: [], wanted: 40 } });
  const items = Array.from({ length: 40 }, (_, index) => index);
  await Promise.all(items.map((item) => client.raiseEvent(id, 'item', item)));
  const ended = await client.whenEnded(id);
  expect(ended.output).toEqual(items);
  expect(ended.customStatus).toEqual({ seen: 39 });
});

test('continue-as-new hands on an event that its execution has replayed and nobody waited for', async () => {
  const { client, engine } = running;
  const id = await client.start('later', { instanceId: 'hand-on' });
  await client.raiseEvent(id, 'other', 'kept');
  await until(() => engine.store.inbox(id).length === 0, 'the event is part of the history');
  await client.raiseEvent(id, 'tick', null);
  expect((await client.whenEnded(id)).output).toBe('kept');
});

test('unsupported calls fail the orchestration and say so', async () => {
  expect((await run('callsEntity')).output).toContain('does not support callEntity');
  expect((await run('callsHttp')).output).toContain('does not support callHttp');
  expect((await run('signalsEntity')).output).toContain('does not support signalEntity');
  expect((await run('callsEntityAmongOthers')).output).toContain('does not support callEntity');
});

test('an orchestrator that does not repeat itself fails and is told what differs', async () => {
  const id = await running.client.start('fickle', { instanceId: 'mood' });
  const release = await until(() => effects.held.get('mood'), 'the activity starts');
  effects.weather = 'rain';
  release();
  const { output } = await running.client.whenEnded(id);
  effects.weather = 'sun';
  expect(output).toContain('Non-deterministic orchestration: task 0 was "hold" and is now "echo"');
});

test('a child of an id that is running is refused, and a terminated child fails its parent', async () => {
  const first = await running.client.start('parentOfWaiting');
  await until(() => running.client.status('the-child'), 'the child exists');
  expect((await run('parentOfWaiting')).output).toContain('"the-child" is already running');
  await running.client.terminate('the-child', 'no more');
  expect((await running.client.whenEnded(first)).output).toContain('The sub-orchestration was terminated: no more');
});

test('terminating a parent leaves its children running, as in Azure, and what they return is dropped', async () => {
  const { client, engine } = running;
  const parent = await client.start('parentOfWaiting');
  await until(() => client.status('the-child')?.runtimeStatus === 'Running', 'the child runs');
  await client.terminate(parent, 'no longer wanted');
  expect(await client.whenEnded(parent)).toMatchObject({ runtimeStatus: 'Terminated', output: 'no longer wanted' });
  expect(client.status('the-child')?.runtimeStatus).toBe('Running');
  await client.raiseEvent('the-child', 'never', 1);
  expect((await client.whenEnded('the-child')).runtimeStatus).toBe('Completed');
  await until(() => engine.store.unfinished().instances.length === 0, 'the result is dropped');
  expect(client.status(parent)).toMatchObject({ runtimeStatus: 'Terminated', output: 'no longer wanted' });
});

test('a thousand instances at once all complete, and the event loop stays responsive', async () => {
  let longest = 0;
  let last = performance.now();
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  const ids = await Promise.all(Array.from({ length: 1000 }, () => running.client.start('sequence')));
  const ended = await Promise.all(ids.map((id) => running.client.whenEnded(id)));
  clearInterval(beat);
  expect(ended.every(({ runtimeStatus }) => runtimeStatus === 'Completed')).toBe(true);
  expect(longest).toBeLessThan(1500);
});
