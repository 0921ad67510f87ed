import { afterEach, describe, expect, test } from 'vitest';
import { onlyDb, onlyShop } from './world/definitions.ts';
import { broken, busy, leaseKept, nothingLeft, servesAsBefore, throttled, times } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});
const question = () => world.question();

describe('a step that fails for good asks for help', () => {
  test('and goes on after a retry, with the same state to go back to', async () => {
    world = await World.open({ change: onlyDb });
    world.hosts.setService('db-01', 'reports', 'stopped');
    world.script.fail('setPower', broken);
    await world.start();
    await question();
    expect(world.openQuestions()).toMatchObject([
      { step: 'finalDelta', failure: broken, choices: ['retry', 'rollback', 'cancel'], during: 'run' },
    ]);
    expect(world.state('db')).toMatchObject({ phase: 'attention', remembered: 'finalSync' });
    await world.people.answer('retry');
    await world.until(() => world.state('db').phase === 'sourceOff');
    expect(world.script.called('findAgent')).toBe(1);
    expect(world.state('db').steps['finalDelta']).toMatchObject({ attempt: 2 });
    await world.people.rollBack();
    await world.ended();
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'stopped' });
  });

  test('and walks back when that is the answer', async () => {
    world = await World.open({ change: onlyDb });
    world.script.fail('importDisk', broken, { matches: ({ purpose }) => purpose === 'cutover' });
    await world.start();
    await question();
    await world.people.answer('rollback');
    expect((await world.ended()).status).toBe('rolledBack');
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
    expect(world.phases()).toEqual({ db: 'replicating' });
    await leaseKept(world);
  });

  test('and when its effect had happened before it failed, the retry does not repeat it', async () => {
    world = await World.open({ change: onlyDb });
    world.script.fail('createMachine', broken, { when: 'after', matches: ({ purpose }) => purpose === 'cutover' });
    await world.start();
    await question();
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
    expect(times(world, 'create machine/db-01')).toBe(1);
  });

  test('in the environment as well, where it concerns no workload alone', async () => {
    world = await World.open({ change: onlyDb });
    world.script.fail('grantRoles', broken);
    await world.start();
    await question();
    expect(world.openQuestions()).toMatchObject([{ step: 'targetIam', workloadIds: [] }]);
    await world.people.answer('rollback');
    expect((await world.ended()).status).toBe('rolledBack');
    expect(world.phases()).toEqual({ db: 'registered' });
    await nothingLeft(world);
  });
});

test('workers of two sites that fail one after the other are two questions', async () => {
  const change: Parameters<typeof World.open>[0] = {
    change: (posted) => {
      onlyShop(posted);
      for (const { workloads } of posted.groups) for (const workload of workloads) workload.method = 'agentless';
    },
  };
  world = await World.open(change);
  for (const siteId of ['cellar', 'attic'])
    world.script.fail('deployWorker', broken, { matches: (input) => input['siteId'] === siteId });
  await world.start();
  for (const open of [1, 2]) {
    await world.question();
    expect(world.documents('attention')).toHaveLength(open);
    await world.people.answer('retry');
  }
  await world.until(() => world.openGates().length > 0 || world.phases()['app'] === 'testing');
  await world.people.rollBack('withdrawn');
  await world.ended();
  await nothingLeft(world);
});

test('a failed undo is shown, waits, and is completed after its retry', async () => {
  world = await World.open({ change: onlyDb });
  world.script.fail('deletePart', broken, { matches: ({ purpose, part }) => purpose === 'cutover' && part === 'nic' });
  world.script.once('applyAction', () => world.people.rollBack());
  await world.start();
  await question();
  expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', choices: ['retry', 'doneByHand'] }]);
  expect(world.state('db')).toMatchObject({ phase: 'attention', remembered: 'rollingBack' });
  expect(world.state('db').steps['postCutover']).toMatchObject({ status: 'undoFailed' });
  expect(world.hosts.machine('db-01').power).toBe('off');
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.state('db').steps['postCutover']).toMatchObject({ status: 'undone' });
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('passing failures are tried again and nobody is asked', async () => {
  world = await World.open({ change: onlyDb });
  for (const activity of ['grantRoles', 'importDisk', 'setPower', 'applyAction', 'commandSource'])
    world.script.fail(activity, busy, { times: 3 });
  world.script.fail('advanceOperation', busy, { when: 'after', times: 2 });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(world.documents('attention')).toEqual([]);
});

test('a service that throttles is left alone for as long as it asks', async () => {
  world = await World.open({ change: onlyDb });
  world.script.fail('grantRoles', throttled);
  await world.start();
  await world.until(() => world.script.called('grantRoles') === 2);
  const [first, second] = world.script.calls.filter(({ name }) => name === 'grantRoles');
  expect(Date.parse(second?.at ?? '') - Date.parse(first?.at ?? '')).toBe(90_000);
  await world.ended();
});

test('a store that is away for an hour stops no wave', async () => {
  world = await World.open({ change: onlyDb });
  for (const activity of ['recordStep', 'enterPhase', 'recordGroup']) world.script.fail(activity, busy, { times: 20 });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(world.documents('attention')).toEqual([]);
});

test('an appliance that never answers becomes a question after a while', async () => {
  world = await World.open({ change: onlyDb });
  world.appliances.ignores = ({ type }) => type === 'landfall.services.stop';
  await world.start();
  await question();
  expect(world.openQuestions()[0]?.failure).toMatchObject({ code: 'timeout' });
  world.appliances.ignores = () => false;
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('a retry after traffic has moved puts no target back behind its quarantine', async () => {
  world = await World.open({ change: onlyDb });
  world.script.fail('applyAction', broken, { matches: ({ index }) => index === 2 });
  await world.start();
  await question();
  expect(world.state('db')).toMatchObject({ phase: 'attention', remembered: 'trafficMoved' });
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
  expect(world.script.called('createMachine', ({ purpose }) => purpose === 'cutover')).toBe(1);
});

test('a retry with the source off already asks nobody on it for another sync', async () => {
  world = await World.open({ change: onlyDb });
  world.script.fail('setNic', broken);
  await world.start();
  await question();
  expect(world.hosts.machine('db-01').power).toBe('off');
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('a source that went off before its last bytes were copied is not cut over', async () => {
  world = await World.open({ change: onlyDb });
  world.script.fail('requestSync', broken, { matches: ({ kind }) => kind === 'final' });
  await world.start();
  await question();
  await world.capabilities.hosts.of(world.hosts.machine('db-01').source)!.powerOff(world.hosts.machine('db-01').source);
  await world.people.answer('retry');
  await question();
  expect(world.openQuestions()[0]?.failure).toMatchObject({ code: 'sourceUnreachable' });
  await world.people.answer('rollback');
  await world.ended();
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('a source that refuses to shut down is not cut off unless the plan says so', async () => {
  world = await World.open({ change: onlyDb });
  world.hosts.machine('db-01').refusesShutdown = true;
  await world.start();
  await question();
  expect(world.openQuestions()[0]?.failure.code).toBe('shutdownRefused');
  expect(world.hosts.machine('db-01').power).toBe('on');
  await world.people.answer('rollback');
  await world.ended();
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('deltas go on while a question waits for its answer, so that the answer is not too late', async () => {
  world = await World.open({ change: onlyDb, start: '2026-12-05T14:00:00.000Z' });
  world.keepTime();
  world.script.fail('setPower', broken);
  world.script.fail('proveTestIsolation', broken);
  await world.start();
  await question();
  await world.motion.pass(3 * 3_600_000);
  expect(world.state('db')).toMatchObject({ phase: 'attention', remembered: 'replicating' });
  expect(world.state('db').totals.deltas).toBeGreaterThan(8);
  await world.people.answer('retry');
  await question();
  expect(world.state('db')).toMatchObject({ phase: 'attention', remembered: 'finalSync' });
  const { deltas } = world.state('db').totals;
  await world.motion.pass(3_600_000);
  expect(world.state('db').totals.deltas).toBe(deltas);
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});
