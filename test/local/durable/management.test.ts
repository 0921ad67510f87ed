import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { effects } from './fixtures/everything/effects.ts';
import { startEngine, TestClock, type TestEngine, until } from './testEngine.ts';

let running: TestEngine;
beforeEach(async () => {
  running = await startEngine();
});
afterEach(async () => {
  await running.engine.stop();
});

test('an id that still runs is refused, one that has ended starts anew', async () => {
  const { client } = running;
  await client.start('waitsForever', { instanceId: 'one' });
  await expect(client.start('sequence', { instanceId: 'one' })).rejects.toMatchObject({ status: 409 });
  await client.terminate('one', 'enough');
  expect(await client.whenEnded('one')).toMatchObject({ runtimeStatus: 'Terminated', output: 'enough' });
  await client.start('sequence', { instanceId: 'one' });
  expect(await client.whenEnded('one')).toMatchObject({ name: 'sequence', runtimeStatus: 'Completed' });
});

test('of two starts of one id at the same moment exactly one succeeds', async () => {
  const { client } = running;
  const starts = await Promise.allSettled([1, 2].map((input) => client.start('fanOut', { instanceId: 'same', input })));
  expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('unknown functions, unknown and ended instances, and unusable ids are told apart', async () => {
  const { client } = running;
  await expect(client.start('nothing')).rejects.toMatchObject({ status: 404 });
  await expect(client.start('sequence', { instanceId: 'a/b' })).rejects.toMatchObject({ status: 400 });
  await expect(client.raiseEvent('nobody', 'x', 1)).rejects.toMatchObject({ status: 404 });
  const id = await client.start('sequence');
  await client.whenEnded(id);
  await expect(client.raiseEvent(id, 'x', 1)).rejects.toMatchObject({ status: 410 });
  expect(client.status('nobody')).toBeUndefined();
});

test('a suspended instance keeps what arrives and goes on when resumed', async () => {
  const { client } = running;
  const id = await client.start('two', { instanceId: 'pausing' });
  await client.suspend(id, 'lunch');
  await until(() => client.status(id)?.runtimeStatus === 'Suspended', 'it is suspended');
  await client.raiseEvent(id, 'first', 'kept');
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(effects.runs.get('pausing')).toBeUndefined();
  await client.resume(id, 'back');
  expect((await client.whenEnded(id)).output).toEqual(['kept', 1]);
});

test('a terminated instance ignores what its activities return later', async () => {
  const { client } = running;
  const id = await client.start('nested', { instanceId: 'cut' });
  await client.raiseEvent(id, 'go', 1);
  const release = await until(() => effects.held.get('cut-slow'), 'the slow activity starts');
  await client.terminate(id, 'stop it');
  await client.whenEnded(id);
  release();
  await until(() => running.engine.store.unfinished().instances.length === 0, 'the late result is dropped');
  expect(client.status(id)).toMatchObject({ runtimeStatus: 'Terminated', output: 'stop it' });
});

test('a history is shown on request, with results only when asked for', async () => {
  const { client } = running;
  const id = await client.start('catches');
  await client.whenEnded(id);
  expect(client.status(id)?.historyEvents).toBeUndefined();
  const events = client.status(id, { showHistory: true, showHistoryOutput: true })?.historyEvents;
  expect(events?.map((event) => event['EventType'])).toEqual([
    'ExecutionStarted',
    'TaskFailed',
    'TaskFailed',
    'TaskFailed',
    'ExecutionCompleted',
  ]);
  expect(events?.[1]).toMatchObject({ FunctionName: 'fail', ScheduledTime: expect.any(String) });
  expect(events?.at(-1)).toHaveProperty('Result');
  expect(client.status(id, { showHistory: true })?.historyEvents?.at(-1)).not.toHaveProperty('Result');
  expect(client.status(id, { showInput: false })?.input).toBeNull();
});

test('instances are found by status, time and prefix, page by page, and purged when they have ended', async () => {
  const { client, clock } = running;
  for (let index = 0; index < 7; index++) {
    await client.start(index % 2 === 0 ? 'sequence' : 'waitsForever', { instanceId: `p${index % 3}-${index}` });
    clock.advance(1000);
  }
  await Promise.all([0, 2, 4, 6].map((index) => client.whenEnded(`p${index % 3}-${index}`)));
  const ids = (page: ReturnType<typeof client.query>) => page.instances.map((instance) => instance.instanceId);
  expect(ids(client.query({ runtimeStatus: ['Completed'] }))).toEqual(['p0-0', 'p2-2', 'p1-4', 'p0-6']);
  expect(ids(client.query({ instanceIdPrefix: 'p0-' }))).toEqual(['p0-0', 'p0-3', 'p0-6']);
  const start = Date.parse(client.status('p0-0')?.createdTime ?? '');
  expect(ids(client.query({ createdTimeFrom: start + 1000, createdTimeTo: start + 2000 }))).toEqual(['p1-1', 'p2-2']);
  const first = client.query({ top: 4 });
  const second = client.query({ top: 4, continuationToken: first.continuationToken ?? '' });
  expect([...ids(first), ...ids(second)]).toHaveLength(7);
  expect(second.continuationToken).toBeUndefined();
  expect(await client.purge('p1-1')).toBe(0);
  expect(await client.purge('p0-0')).toBe(1);
  expect(await client.purgeWhere({})).toBe(3);
  expect(ids(client.query({}))).toEqual(['p1-1', 'p0-3', 'p2-5']);
});

test('what comes for a purged instance is dropped', async () => {
  const { client, engine } = running;
  const parent = await client.start('parentOfWaiting');
  await until(() => client.status('the-child'), 'the child exists');
  await client.terminate(parent, 'first');
  await client.whenEnded(parent);
  expect(await client.purge(parent)).toBe(1);
  await client.terminate('the-child', 'then');
  await client.whenEnded('the-child');
  await until(() => engine.store.unfinished().instances.length === 0, 'no message is left');
  expect(client.status(parent)).toBeUndefined();
});

test('timers, waits and running activities survive a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'durable-'));
  const clock = new TestClock();
  const before = await startEngine(join(directory, 'durable.sqlite'), clock);
  await before.client.start('sleeps', { instanceId: 'sleeper', input: 30 });
  await before.client.start('two', { instanceId: 'waiter' });
  await before.client.start('nested', { instanceId: 'holder' });
  await before.client.raiseEvent('holder', 'go', 'went');
  await until(() => effects.held.get('holder-slow'), 'the slow activity starts');
  await before.engine.stop(1);
  clock.advance(31 * 86_400_000);
  effects.held.clear();
  const after = await startEngine(join(directory, 'durable.sqlite'), clock);
  expect((await after.client.whenEnded('sleeper')).output).toBe(31);
  await after.client.raiseEvent('waiter', 'first', 1);
  expect((await after.client.whenEnded('waiter')).output).toEqual([1, 1]);
  (await until(() => effects.held.get('holder-slow'), 'the activity in flight runs again'))();
  expect((await after.client.whenEnded('holder')).runtimeStatus).toBe('Completed');
  await after.engine.stop();
  rmSync(directory, { recursive: true });
});
