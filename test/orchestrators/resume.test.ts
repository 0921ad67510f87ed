// A wave that is started again does what is left and nothing twice.
import { afterEach, expect, test } from 'vitest';
import { onlyShop } from './world/definitions.ts';
import { times } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const initialSyncs = () =>
  world.bus.sent.filter(({ command }) => command.type === 'landfall.sync.start' && command.data.kind === 'initial')
    .length;
const clonesOf = (id: string) => times(world, `create machine/${id}-uat`);
const signOffs = () => world.script.called('openGate', ({ name }) => name === 'uat');

/** What was done to a workload from after a version, but for taking the rights of its agent. */
async function workDoneOn(workloadId: string, after: number): Promise<string[]> {
  const log = await world.capabilities.store.workloads.events('w1', workloadId, after);
  return log.map(({ event }) => event.type).filter((type) => !type.startsWith('landfall.effect.'));
}

test('a group whose cutover was not approved goes on where it stood: no second initial sync, no second UAT', async () => {
  world = await World.open({ change: onlyShop });
  world.people.atGate.cutover = 'reject';
  await world.start();
  await world.ended();
  expect(world.wave().groups['shop']?.status).toBe('held');
  world.people.atGate.cutover = 'approve';
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'committed', attempt: 2 });
  expect(initialSyncs()).toBe(2);
  expect([clonesOf('app-01'), clonesOf('web-01'), signOffs()]).toEqual([1, 1, 1]);
  expect(world.state('app').steps['uat']).toMatchObject({
    status: 'completed',
    evidence: { signOff: 'approved', standsSince: expect.any(String), tested: [{ workloadId: 'app' }] },
  });
  for (const once of ['grant roles', 'deploy worker-cellar', 'install agent on web-01'])
    expect(times(world, once)).toBe(1);
});

test('a rollback voids the sign-off: what was cut over and taken back is tested again', async () => {
  world = await World.open({ change: onlyShop });
  world.script.once('applyAction', () => world.people.rollBack());
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(initialSyncs()).toBe(2);
  expect([clonesOf('app-01'), clonesOf('web-01'), signOffs()]).toEqual([2, 2, 2]);
});

test('groups that have committed are left alone, and what waits for them goes on at once', async () => {
  world = await World.open();
  world.script.once('openGate', () => world.people.rollBack('replicating', 'shop'), {
    matches: ({ groupId, name }) => groupId === 'shop' && name === 'cutover',
  });
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  const { version } = world.state('db');
  expect(world.phases()['db']).toBe('committed');
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(await workDoneOn('db', version)).toEqual([]);
  expect(times(world, 'create machine/db-01')).toBe(1);
});

test('workloads that have committed are left alone where their group has not', async () => {
  world = await World.open({ change: onlyShop });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  const { version } = world.state('app');
  // As after a crash between the last workload's commit and the group's.
  await world.capabilities.store.waves.change('w1', (wave) => ({
    ...wave,
    status: 'failed',
    groups: { shop: { status: 'failed', updatedAt: wave.createdAt } },
  }));
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'committed', attempt: 2 });
  expect(await workDoneOn('app', version)).toEqual([]);
  expect(times(world, 'create machine/app-01')).toBe(1);
});
