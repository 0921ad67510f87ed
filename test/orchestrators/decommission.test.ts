// Long after a commit: nothing is deleted until people have approved just that, and then nothing else.
import { afterEach, describe, expect, test } from 'vitest';
import { waveView } from '../../functions/http/waveView.ts';
import { deletePoints } from '../../orchestrators/decommission/activities.ts';
import { onlyDb, onlyShop } from './world/definitions.ts';
import { broken, nothingLeft } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const day = 86_400_000;
const tick = 6 * 3_600_000;
const view = async () => waveView(world.capabilities, world.wave(), { limit: 100 });
const gates = () => world.openGates().filter(({ name }) => name === 'decommission');
const blobs = () => [...world.azure.blobs.keys()].sort();

async function committed(change: NonNullable<Parameters<typeof World.open>[0]>['change'] = onlyDb): Promise<void> {
  world = await World.open({ change });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
}

async function asked(): Promise<void> {
  world.keepTime(tick);
  await world.motion.pass(14 * day + tick);
  expect(gates()).toHaveLength(1);
}

/** Until nothing of the question runs any more. */
const settled = () => world.until(() => gates().length === 0 && world.isAtRest());

test('a commit starts the timer: the day is on record, costs are in view, and until then nothing happens', async () => {
  await committed();
  const dueAt = world.state('db').decommission?.dueAt ?? '';
  expect(world.wave().decommission).toEqual({ data: { dueAt } });
  expect(world.state('db').steps['finalValidation']?.evidence).toMatchObject({ decommissionAt: dueAt });
  expect((await view()).decommission).toMatchObject({
    after: 'P14D',
    asksAt: dueAt,
    asking: [],
    // Two disks, of which the model’s initial and final sync write a block each.
    staged: { workloads: 1, bytesWritten: 2 * 2 * 4096 },
    removable: 0,
  });
  world.keepTime(tick);
  await world.motion.pass(Date.parse(dueAt) - Date.parse(world.capabilities.now()) - tick);
  expect(gates()).toEqual([]);
  expect(blobs()).toEqual(['w1/db/data.vhd', 'w1/db/os.vhd']);
});

test('when the time is over people are asked, for as long as it takes; nothing is deleted meanwhile', async () => {
  await committed();
  await asked();
  expect(gates()[0]).toMatchObject({ groupId: 'data', workloadIds: ['db'], requester: 'ada' });
  expect(gates()[0]?.question).toContain('The sources of data, db-01, may then be removed by hand.');
  expect((await view()).decommission).toMatchObject({ asking: ['data'] });
  await world.motion.pass(60 * day);
  expect(gates()).toHaveLength(1);
  expect(blobs()).toHaveLength(2);
});

test('an approval deletes the staged points under the rights of step 1, and says which sources may go', async () => {
  await committed();
  await asked();
  const targets = world.azure.names().filter((name) => name.includes('db-01'));
  const [gate] = gates();
  if (gate !== undefined) await world.people.approve(gate);
  await settled();
  expect(blobs()).toEqual([]);
  expect([...world.azure.snapshots]).toEqual([]);
  expect(world.azure.names()).toEqual(targets);
  expect(world.azure.rolesGranted).toBe(false);
  expect(await world.capabilities.store.environments.holders('west')).toEqual([]);
  expect(world.state('db')).toMatchObject({ phase: 'committed', points: [], decommission: { by: ['carl'] } });
  expect(world.wave().decommission).toBeUndefined();
  expect((await view()).decommission).toMatchObject({
    staged: { workloads: 0, bytesWritten: 0 },
    removable: 1,
  });
  const journal = await world.capabilities.store.journal.entries('w1');
  expect(journal.map(({ entry }) => entry)).toContainEqual(
    expect.objectContaining({ type: 'landfall.sources.removable', data: { sources: ['db-01'] } }),
  );
  // The source itself is nobody's but people's to touch.
  expect(world.hosts.machine('db-01').power).toBe('off');
});

test('a rejection keeps everything, and people are asked again after the same time', async () => {
  await committed();
  await asked();
  const [gate] = gates();
  if (gate !== undefined) await world.people.reject(gate);
  await settled();
  expect(blobs()).toHaveLength(2);
  expect(world.wave().decommission).toEqual({ data: { dueAt: world.state('db').decommission?.dueAt } });
  await world.motion.pass(13 * day);
  expect(gates()).toEqual([]);
  await world.motion.pass(day + tick);
  expect(gates()).toHaveLength(1);
  expect(gates()[0]?.id).not.toBe(gate?.id);
});

test('where the gate takes partial approvals, only what is approved goes', async () => {
  await committed((posted) => {
    onlyShop(posted);
    posted.gates = { ...posted.gates, decommission: { partial: true } };
    posted.decommission = { after: 'P2D' };
  });
  world.keepTime(tick);
  await world.motion.pass(2 * day + tick);
  const [gate] = gates();
  if (gate === undefined) throw new Error('nobody was asked');
  await world.people.approve(gate, ['web']);
  await world.people.reject(gate, ['app']);
  await settled();
  expect(blobs()).toEqual(['w1/app/os.vhd']);
  expect(world.state('web').decommission?.deletedAt).toBeDefined();
  expect(world.state('app').decommission?.deletedAt).toBeUndefined();
  expect(world.wave().decommission).toEqual({ shop: { dueAt: world.state('app').decommission?.dueAt } });
});

test('groups that committed at different times are asked about apart', async () => {
  await committed(() => {});
  world.keepTime(tick);
  await world.motion.pass(14 * day + tick);
  expect(gates().map(({ groupId, workloadIds }) => [groupId, ...workloadIds])).toEqual([
    ['data', 'db'],
    ['shop', 'app', 'web'],
  ]);
  const [data] = gates();
  if (data !== undefined) await world.people.approve(data);
  await world.until(() => world.state('db').decommission?.deletedAt !== undefined);
  await world.until(() => world.wave().decommission?.['data'] === undefined);
  expect(blobs()).toEqual(['w1/app/os.vhd', 'w1/web/os.vhd']);
});

describe('what fails', () => {
  test('asks people, and goes on where it was', async () => {
    await committed(onlyShop);
    await asked();
    world.script.fail('deletePoints', broken, { matches: ({ workloadId }) => workloadId === 'web' });
    const [gate] = gates();
    if (gate !== undefined) await world.people.approve(gate);
    await world.question();
    expect(world.openQuestions()).toMatchObject([{ step: 'decommission', choices: ['retry', 'doneByHand'] }]);
    expect(blobs()).toEqual(['w1/web/os.vhd']);
    await world.people.answer('retry');
    await settled();
    expect(blobs()).toEqual([]);
  });

  test('for want of rights may be called off: everything is kept, and people are asked again later', async () => {
    await committed();
    await asked();
    world.script.fail('findRoleGaps', broken);
    const [gate] = gates();
    if (gate !== undefined) await world.people.approve(gate);
    await world.question();
    await world.people.answer('cancel');
    await settled();
    expect(blobs()).toHaveLength(2);
    expect(world.wave().decommission?.['data']?.dueAt).toBeDefined();
    await nothingLeftButTargets();
  });

  test('a question whose orchestration is terminated is asked anew', async () => {
    await committed();
    await asked();
    const [first] = gates();
    const instanceId = world.wave().decommission?.['data']?.asking ?? '';
    await world.durable.terminate(instanceId, 'by mistake');
    await world.motion.pass(3 * tick);
    expect(gates()).toHaveLength(1);
    expect(gates()[0]?.id).not.toBe(first?.id);
    expect(blobs()).toHaveLength(2);
  });
});

async function nothingLeftButTargets(): Promise<void> {
  expect(await world.capabilities.store.environments.holders('west')).toEqual([]);
  expect(world.azure.rolesGranted).toBe(false);
}

test('a wave that leaves while another cleans up is not the last: the environment is removed by who is', async () => {
  await committed();
  await asked();
  world.script.once('deletePoints', async () => {
    // Another wave has made the environment ready, and has given it back while this one still holds it.
    await world.capabilities.azure.compute.beginAppliance(
      (await world.capabilities.store.environments.get('west')) as never,
      'lf-target-west',
      '',
      { owner: 'landfall', wave: 'w1', workload: 'west', expires: '2027-01-01T00:00:00.000Z' },
    );
    await world.capabilities.store.appliances.put({
      ...{ id: 'appliance.target-west', kind: 'appliance', environmentId: 'west', applianceId: 'target-west' },
      ...{ applianceKind: 'target', status: 'healthy' },
    });
  });
  const [gate] = gates();
  if (gate !== undefined) await world.people.approve(gate);
  await settled();
  expect(world.azure.names().filter((name) => name.includes('lf-target'))).toEqual([]);
  expect(await world.capabilities.store.appliances.get('target-west')).toBeUndefined();
});

test('no call deletes points on the word of a caller: the gate must be decided, and the workload committed', async () => {
  await committed();
  const input = { waveId: 'w1', workloadId: 'db', gateId: 'gate.decommission-w1.data-1' };
  const ask = (gateId = input.gateId) =>
    deletePoints.handle(world.capabilities, {
      ...{ operationId: 'x:y', attempt: 1, waveId: 'w1' },
      input: { ...input, gateId },
    });
  expect(await ask()).toMatchObject({ failure: { code: 'conflict' } });
  const commit = (await world.capabilities.store.gates.list('w1')).find(({ name }) => name === 'commit');
  expect(await ask(commit?.id)).toMatchObject({ failure: { code: 'conflict' } });
  await asked();
  expect(await ask(gates()[0]?.id)).toMatchObject({ failure: { code: 'conflict' } });
  expect(blobs()).toHaveLength(2);
});

test('a workload that was withdrawn keeps its points, shows what they cost, and nobody is asked', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('applyAction', () => world.people.rollBack('withdrawn'));
  await world.start();
  await world.ended();
  world.keepTime(tick);
  await world.motion.pass(30 * day);
  expect(gates()).toEqual([]);
  expect(blobs()).toHaveLength(2);
  expect((await view()).decommission.staged.workloads).toBe(1);
  await nothingLeft(world);
});
