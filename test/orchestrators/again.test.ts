// A wave started again, and a world in which everything happens more than once.
import { afterEach, expect, test } from 'vitest';
import { committed } from '../../functions/changefeed/committed.ts';
import type { ControlDocument } from '../../shared/store/documents.ts';
import { onlyDb, onlyShop } from './world/definitions.ts';
import { broken, leaseKept, nothingLeft, servesAsBefore, times } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

test('a wave started again after a rollback does only what is left, and commits', async () => {
  world = await World.open();
  world.script.once('applyAction', () => world.people.rollBack('replicating', 'shop'), {
    matches: ({ workloadId }) => workloadId === 'app',
  });
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.phases()).toEqual({ db: 'committed', app: 'replicating', web: 'replicating' });
  await leaseKept(world);
  await world.start();
  const { status, attempt } = await world.ended();
  expect({ status, attempt }).toEqual({ status: 'committed', attempt: 2 });
  expect(
    world.bus.sent.filter(({ command }) => command.type === 'landfall.sync.start' && command.data.kind === 'initial'),
  ).toHaveLength(3);
  for (const change of [
    'grant roles',
    'deploy worker-cellar',
    'install agent on web-01',
    'create machine/db-01',
    'create machine/lf-target-west',
  ])
    expect(times(world, change)).toBe(1);
  expect(times(world, 'create machine/app-01')).toBe(2);
});

test('an order to an earlier attempt, told once more, does not reach a later one', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('applyAction', () => world.people.rollBack());
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  const orders = world.documents<ControlDocument>('control');
  expect(orders.length).toBeGreaterThan(0);
  // Those that have ended hear nothing.
  const raise = (id: string, name: string, data: unknown) => world.durable.raiseEvent(id, name, data).catch(() => {});
  world.script.once('recordWave', () => committed(orders, { raise }, world.capabilities.store));
  await world.start();
  expect((await world.ended()).status).toBe('committed');
});

test('a cancel that comes while the end of a wave is being written down is heard yet', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('applyAction', () => world.people.rollBack());
  world.script.once('recordWave', () => world.people.cancel(), {
    matches: ({ ended }) => ended === true,
    when: 'before',
  });
  await world.start();
  expect((await world.ended()).status).toBe('cancelled');
  expect(world.phases()).toEqual({ db: 'withdrawn' });
  await nothingLeft(world);
});

test('a wave that was withdrawn may start again from the beginning', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('requestSync', () => world.people.cancel());
  await world.start();
  expect((await world.ended()).status).toBe('cancelled');
  await world.start();
  expect((await world.ended()).status).toBe('committed');
});

test.each(['findRoleGaps', 'recordGroup', 'phaseOf'])(
  'a second start that is cancelled after %s withdraws what the first one left behind',
  async (activity) => {
    world = await World.open({ change: onlyDb });
    world.script.once('applyAction', () => world.people.rollBack());
    await world.start();
    await world.ended();
    world.script.once(activity, async () => {
      await world.people.cancel();
      await world.told();
    });
    await world.start();
    expect((await world.ended()).status).toBe('cancelled');
    expect(world.phases()).toEqual({ db: 'withdrawn' });
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
    await nothingLeft(world);
  },
);

test('a second start that fails in the environment and is rolled back leaves workloads replicating', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('applyAction', () => world.people.rollBack());
  await world.start();
  await world.ended();
  world.script.fail('findRoleGaps', broken);
  await world.start();
  await world.until(() => world.openQuestions().length > 0);
  await world.people.answer('rollback');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.phases()).toEqual({ db: 'replicating' });
  await leaseKept(world);
});

test.each([
  ['findRoleGaps', 'cancelled'],
  ['findAppliance', 'cancelled'],
  ['findAgent', 'rolledBack'],
])(
  'a second start that fails at %s before it knows what the first one made, and is cancelled, undoes all of it',
  async (activity, status) => {
    world = await World.open({ change: onlyDb });
    world.script.once('applyAction', () => world.people.rollBack());
    await world.start();
    await world.ended();
    world.script.fail(activity, broken);
    await world.start();
    await world.question();
    await world.people.answer('cancel');
    expect((await world.ended()).status).toBe(status);
    expect(world.phases()).toEqual({ db: 'withdrawn' });
    await nothingLeft(world);
  },
);

test('whoever wants back and cannot learn what was made does that by hand, and the rest is undone', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('applyAction', () => world.people.rollBack());
  await world.start();
  await world.ended();
  world.script.fail('findRoleGaps', broken, { times: 2 });
  await world.start();
  await world.question();
  await world.people.answer('cancel');
  await world.question();
  expect(world.openQuestions()).toEqual([
    expect.objectContaining({ choices: ['retry', 'doneByHand'], todo: ['undo targetIam'] }),
  ]);
  world.azure.revokeRoles();
  await world.people.answer('doneByHand');
  expect((await world.ended()).status).toBe('cancelled');
  await nothingLeft(world);
});

test('deltas go on while a wave waits for its window, and the cutover follows a recent one', async () => {
  world = await World.open({ change: onlyDb, start: '2026-12-05T12:00:00.000Z' });
  world.keepTime();
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(world.state('db').totals.deltas).toBeGreaterThan(10);
  expect(world.documents('attention')).toEqual([]);
});

test('every activity may run twice and every message arrive twice: nothing happens twice', async () => {
  world = await World.open({ change: onlyShop, times: 2 });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(world.changes.filter((change, index) => world.changes.indexOf(change) !== index)).toEqual([]);
});

test('a rollback in a world of repetitions ends as any other', async () => {
  world = await World.open({ change: onlyDb, times: 3 });
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'));
  await world.people.rollBack();
  expect((await world.ended()).status).toBe('rolledBack');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  expect(world.phases()).toEqual({ db: 'replicating' });
  expect(times(world, 'db-01 on')).toBe(1);
});
