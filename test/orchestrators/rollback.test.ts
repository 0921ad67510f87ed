import { afterEach, describe, expect, test } from 'vitest';
import { onlyDb, onlyShop } from './world/definitions.ts';
import { broken, leaseKept, nothingLeft, servesAsBefore, times } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const completed = (step: string) => (input: Record<string, unknown>) => {
  const what = input['what'] as { type: string; data: { step?: string } };
  return what.type === 'landfall.step.completed' && what.data.step === step;
};
const gateOpens = (name: string) => async () => {
  delete world.people.atGate[name as 'uat'];
  await world.start();
  await world.until(() => world.openGates().some((gate) => gate.name === name), `the ${name} gate opens`);
  await world.people.rollBack();
};

const moments: Record<string, () => Promise<unknown>> = {
  'when UAT has booted its clones': async () => {
    world.script.once('createMachine', () => world.people.rollBack());
    await world.start();
  },
  'while people look at UAT': gateOpens('uat'),
  'while the cutover waits for approval': gateOpens('cutover'),
  'when the services are being stopped': async () => {
    world.script.once('commandSource', () => world.people.rollBack(), { matches: ({ command }) => command === 'stop' });
    await world.start();
  },
  'during the final sync': async () => {
    world.script.once('requestSync', () => world.people.rollBack(), { matches: ({ kind }) => kind === 'final' });
    await world.start();
  },
  'after step 10': async () => {
    world.script.once('recordStep', () => world.people.rollBack(), { matches: completed('finalDelta') });
    await world.start();
  },
  'after the first action of step 11': async () => {
    world.script.once('applyAction', () => world.people.rollBack());
    await world.start();
  },
  'while a question is open': async () => {
    world.script.fail('createMachine', broken, { matches: ({ purpose }) => purpose === 'cutover' });
    await world.start();
    await world.until(() => world.openQuestions().length > 0, 'a question');
    await world.people.rollBack();
  },
  'while the commit waits for approval': gateOpens('commit'),
};

describe('a rollback goes back to replicating', () => {
  test.each(Object.keys(moments))('%s', async (moment) => {
    world = await World.open({ change: onlyDb });
    world.hosts.setService('db-01', 'reports', 'stopped');
    await moments[moment]?.();
    expect((await world.ended()).status).toBe('rolledBack');
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'stopped' });
    expect(world.phases()).toEqual({ db: 'replicating' });
    expect(world.state('db').sync).toMatchObject({ status: 'idle' });
    expect(world.openGates()).toEqual([]);
    expect(world.openQuestions()).toEqual([]);
    await leaseKept(world);
    for (const change of ['db-01 on', 'db-01 connected', 'create machine/db-01', 'delete machine/db-01'])
      expect(times(world, change)).toBeLessThanOrEqual(1);
  });
});

test('a rollback while the services are stopping waits until they have stopped, and then starts them', async () => {
  world = await World.open({ change: onlyDb });
  world.appliances.takesMs = ({ type }) => (type === 'landfall.services.stop' ? 60_000 : 200);
  const sent = (type: string) => world.bus.sent.some(({ command }) => command.type === type);
  await world.start();
  await world.until(() => sent('landfall.services.stop'), 'the command to stop');
  await world.people.rollBack();
  expect((await world.ended()).status).toBe('rolledBack');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  const at = (change: string) => world.changes.indexOf(change);
  expect(at('db-01 engine stopped')).toBeGreaterThanOrEqual(0);
  expect(at('db-01 engine running')).toBeGreaterThan(at('db-01 engine stopped'));
});

test('a step that is interrupted before it has done anything does not stay on record as running', async () => {
  world = await World.open({ change: onlyDb });
  const before = ({ operationId }: { operationId: string }) => operationId.endsWith(':beforeStop:1');
  world.appliances.ignores = before;
  await world.start();
  await world.until(() => world.bus.sent.some(({ command }) => before(command)), 'the look before the stop');
  await world.people.rollBack();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.state('db').steps['stopServices']?.status).toBe('undone');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('a rollback during the initial sync withdraws, for there is no point to go on from', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('requestSync', () => world.people.rollBack());
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.phases()).toEqual({ db: 'withdrawn' });
  expect(world.state('db').sync.status).toBe('idle');
  expect(world.bus.sent.at(-1)?.command.type).toBe('landfall.sync.cancel');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  await nothingLeft(world);
});

test('a rollback to withdrawn after step 10 undoes all that the wave made and keeps the points', async () => {
  world = await World.open({ change: onlyShop });
  world.script.once('recordStep', () => world.people.rollBack('withdrawn'), { matches: completed('finalDelta') });
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.phases()).toMatchObject({ app: 'withdrawn', web: 'withdrawn' });
  expect(world.state('app').points.length).toBeGreaterThan(0);
  for (const id of ['app-01', 'web-01']) servesAsBefore(world, id, { web: 'running' });
  await nothingLeft(world);
});

test('a rollback starts the sources again in the order in which they depend on each other', async () => {
  world = await World.open({ change: onlyShop });
  world.script.once('applyAction', () => world.people.rollBack());
  await world.start();
  await world.ended();
  const at = (change: string) => world.changes.indexOf(change);
  expect(at('app-01 web running')).toBeGreaterThan(at('delete machine/app-01'));
  expect(at('web-01 web running')).toBeGreaterThan(at('app-01 web running'));
});

test('an answer of one workload to roll back stops the others of its group as well', async () => {
  world = await World.open({ change: onlyShop });
  world.script.fail('preflightSource', broken, { matches: ({ workloadId }) => workloadId === 'app' });
  world.appliances.ignores = ({ type, aud }) => type === 'landfall.sync.start' && aud === 'agent-web-01';
  await world.start();
  await world.until(() => world.openQuestions().length > 0 && world.state('web').sync.status === 'running');
  await world.people.answer('rollback');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.phases()).toEqual({ app: 'withdrawn', web: 'withdrawn' });
  await nothingLeft(world);
});

describe('an order is never missed', () => {
  // The feed has told everybody there is before the activity in which the order came has ended.
  const orderHeard = async () => {
    await world.people.rollBack();
    await world.told();
  };

  test('when it comes as the last step of the environment ends', async () => {
    world = await World.open({ change: onlyDb });
    world.script.once('recordStep', orderHeard, { matches: completed('migrationAppliance') });
    await world.start();
    expect((await world.ended()).status).toBe('rolledBack');
    expect(world.script.called('openGate')).toBe(0);
    await nothingLeft(world);
  });

  test('when it comes as workloads are about to be prepared', async () => {
    world = await World.open({ change: onlyDb });
    world.script.once('recordGroup', orderHeard, { matches: ({ status }) => status === 'preparing' });
    await world.start();
    expect((await world.ended()).status).toBe('rolledBack');
    expect(world.script.called('requestSync')).toBe(0);
    expect(world.phases()).toEqual({ db: 'withdrawn' });
    await nothingLeft(world);
  });

  test('when it comes as workloads are about to be cut over', async () => {
    world = await World.open({ change: onlyDb });
    world.script.once('recordGroup', orderHeard, { matches: ({ status }) => status === 'cuttingOver' });
    await world.start();
    expect((await world.ended()).status).toBe('rolledBack');
    expect(world.script.called('commandSource', ({ command }) => command === 'stop')).toBe(0);
    await leaseKept(world);
  });
});

describe('cancelling during preparation withdraws everything', () => {
  test.each(['grantRoles', 'deployAppliance', 'deployWorker', 'installAgent', 'preflightSource', 'requestSync'])(
    'after %s',
    async (activity) => {
      world = await World.open({ change: onlyShop });
      world.script.once(activity, () => world.people.cancel());
      await world.start();
      expect((await world.ended()).status).toBe('cancelled');
      for (const phase of Object.values(world.phases())) expect(['registered', 'withdrawn']).toContain(phase);
      for (const id of ['app-01', 'web-01']) servesAsBefore(world, id, { web: 'running' });
      await nothingLeft(world);
    },
  );
});
