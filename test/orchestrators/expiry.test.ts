// Clones that nobody holds any more go by their expiry, on a decision that is on record; nothing else does.
import { afterEach, expect, test } from 'vitest';
import { terminal } from '../../shared/errors.ts';
import { environment, onlyDb } from './world/definitions.ts';
import { broken } from './world/expectations.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(() => world.close());

const hour = 3_600_000;
const clones = () => world.azure.names().filter((name) => /uat|isolated/.test(name));
const all = [
  'disk/db-01-uat-data',
  'disk/db-01-uat-os',
  'machine/db-01-uat',
  'nic/db-01-uat-nic',
  'securityGroup/lf-isolated-w1-data',
];

async function entries(): Promise<[type: string, data: Record<string, unknown>][]> {
  const journal = await world.capabilities.store.journal.entries('w1');
  return journal.flatMap(({ entry }) => (entry.type.startsWith('landfall.clones.') ? [[entry.type, entry.data]] : []));
}

/** A wave whose UAT waits for people, then dies as a host's storage does: every orchestration is gone at once. */
async function diesWhileTesting(): Promise<void> {
  world = await World.open({ change: onlyDb });
  delete world.people.atGate.uat;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'uat'));
  expect(clones()).toEqual(all);
}
async function die(): Promise<void> {
  for (const { instanceId, runtimeStatus } of world.durable.query({}).instances)
    if (runtimeStatus === 'Running') await world.durable.terminate(instanceId, 'the host is gone');
  await world.until(() => !world.durable.query({}).instances.some(({ runtimeStatus }) => runtimeStatus === 'Running'));
}

test('clones of a wave that was terminated stay until their time is over, and are then removed on a recorded decision', async () => {
  await diesWhileTesting();
  const blobs = [...world.azure.blobs.keys()];
  await die();
  world.keepTime();
  await world.motion.pass(7 * hour);
  expect(clones()).toEqual(all);
  expect(await entries()).toEqual([]);
  await world.motion.pass(2 * hour);
  expect(clones()).toEqual([]);
  const [decided, removed] = await entries();
  expect(decided).toEqual([
    'landfall.clones.expired',
    {
      reason: expect.stringContaining('no orchestration holds this wave') as string,
      parts: expect.arrayContaining(['db-01-uat', 'db-01-uat-nic', 'lf-isolated-w1-data']) as string[],
      groups: ['data'],
    },
  ]);
  expect(removed).toEqual(['landfall.clones.removed', { groups: [{ groupId: 'data', workloadIds: ['db'] }] }]);
  // Replicated points, the appliance and whoever else is there are none of the expiry's business.
  expect([...world.azure.blobs.keys()]).toEqual(blobs);
  expect(world.azure.names()).toContain('machine/lf-target-west');
  expect(world.monitor.findings).toEqual([]);
});

test('clones that an orchestration holds stay, however old they are', async () => {
  world = await World.open({ change: onlyDb });
  world.appliances.failsCheck = () => true;
  await world.start();
  await world.question();
  world.keepTime();
  await world.motion.pass(30 * hour);
  expect(clones()).toEqual(all);
  expect(await entries()).toEqual([]);
  world.appliances.failsCheck = () => false;
  await world.people.answer('rollback');
  expect((await world.ended()).status).toBe('rolledBack');
});

test('a group that outlived its wave holds its clones', async () => {
  await diesWhileTesting();
  await world.durable.terminate('wave-w1', 'the host is gone');
  world.keepTime();
  await world.until(() => world.durable.status('wave-w1')?.runtimeStatus === 'Terminated');
  // The gate would expire with the clones' time, and the group itself remove them.
  const [gate] = world.openGates();
  await world.capabilities.store.gates.change('w1', gate?.id ?? '', ({ expiresAt: _, ...open }) => open);
  await world.motion.pass(20 * hour);
  expect(clones()).toEqual(all);
});

test('what fails is told and tried again the next day; a resource that is not ours is left alone', async () => {
  await diesWhileTesting();
  await die();
  const tags = { ...world.azure.resources.get('machine/db-01-uat')?.tags, 'landfall:owner': 'somebody else' };
  world.azure.resources.set('disk/db-01-uat-foreign', { kind: 'disk', name: 'db-01-uat-foreign', tags, readyAt: 0 });
  world.script.fail('deletePart', broken);
  world.keepTime();
  await world.motion.pass(9 * hour);
  expect((await entries()).map(([type]) => type)).toEqual(['landfall.clones.expired', 'landfall.clones.removalFailed']);
  expect(clones()).toContain('machine/db-01-uat');
  await world.motion.pass(24 * hour);
  expect((await entries()).map(([type]) => type).slice(2)).toEqual([
    'landfall.clones.expired',
    'landfall.clones.removed',
  ]);
  expect(clones()).toEqual(['disk/db-01-uat-foreign']);
});

test('an Azure that cannot be asked keeps the watchdog from nothing else', async () => {
  await diesWhileTesting();
  await die();
  let asked = 0;
  const { listOwned } = world.azure.compute;
  world.azure.compute.listOwned = async (...args) => {
    if (++asked <= 20)
      throw Object.assign(terminal('forbidden', 'Not yet.', 'Wait.'), { failure: { ...broken, kind: 'transient' } });
    return listOwned(...args);
  };
  world.keepTime();
  await world.motion.pass(12 * hour);
  expect(asked).toBeGreaterThan(20);
  expect(clones()).toEqual([]);
});

test('where no wave holds the environment nobody is asked', async () => {
  world = await World.open({ change: onlyDb });
  await world.start();
  await world.ended();
  world.azure.compute.listOwned = async () => {
    throw terminal('forbidden', 'Nobody has the right.', 'Do not ask.');
  };
  expect(await world.capabilities.store.environments.holders(environment.id)).toEqual([]);
  world.keepTime();
  await world.motion.pass(hour);
});
