import { afterEach, expect, test } from 'vitest';
import { carl } from '../../rehearsal/world/persons.ts';
import { definitionOf, manyWorkloads, onlyDb, onlyShop } from './world/definitions.ts';
import { broken } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

/** Two waves of one environment, of which only the first one wants a worker; both ask for their commit. */
async function twoWaves(): Promise<(waveId: string) => Promise<void>> {
  world = await World.open({ change: onlyShop });
  await world.people.post(
    definitionOf((posted) => {
      onlyDb(posted);
      posted.id = 'w2';
    }),
  );
  world.people.atGate = { uat: 'approve', cutover: 'approve' };
  await world.start('w1');
  await world.start('w2');
  const commits = () => world.openGates().filter(({ name }) => name === 'commit');
  await world.until(() => commits().length === 2, 'both waves ask for the commit');
  world.people.atGate = { commit: 'approve' };
  return async (waveId) => {
    const gate = commits().find((each) => each.waveId === waveId);
    if (gate !== undefined) await world.people.decide(gate);
  };
}

test('the last wave to leave an environment removes the worker that only a wave before it wanted', async () => {
  const commit = await twoWaves();
  for (const waveId of ['w1', 'w2']) {
    await commit(waveId);
    expect((await world.ended(waveId)).status).toBe('committed');
    if (waveId === 'w1') expect([...world.hosts.workers]).toEqual(['worker-cellar']);
  }
  expect([...world.hosts.workers]).toEqual([]);
  expect(await world.capabilities.store.appliances.list()).toEqual([]);
  expect(world.azure.rolesGranted).toBe(false);
});

test('a wave that leaves asks about that worker like about any undo: it does not walk back from there', async () => {
  const commit = await twoWaves();
  await commit('w1');
  await world.ended('w1');
  world.script.fail('findWorker', broken);
  await commit('w2');
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'sourceWorker', choices: ['retry', 'doneByHand'] }]);
  await world.people.answer('retry');
  expect((await world.ended('w2')).status).toBe('committed');
  expect([...world.hosts.workers]).toEqual([]);
});

test('what could not be undone is kept for a wave that has begun meanwhile, and goes when that leaves', async () => {
  world = await World.open({ change: onlyShop });
  await world.people.post(
    definitionOf((posted) => {
      onlyDb(posted);
      posted.id = 'w2';
      for (const { workloads } of posted.groups) for (const workload of workloads) workload.method = 'agentless';
    }),
  );
  world.script.fail('removeWorker', broken);
  world.script.once('applyAction', () => world.people.cancel());
  await world.start('w1');
  await world.question();
  world.script.once('applyAction', async () => {
    await world.people.answer('retry');
    expect((await world.ended('w1')).status).toBe('cancelled');
    expect([...world.hosts.workers]).toEqual(['worker-cellar']);
  });
  await world.start('w2');
  expect((await world.ended('w2')).status).toBe('committed');
  expect([...world.hosts.workers]).toEqual([]);
  expect(world.azure.rolesGranted).toBe(false);
});

test('the last wave to leave revokes what another one was granted, even if it never came to ask for anything itself', async () => {
  world = await World.open({ change: onlyDb });
  await world.people.post(
    definitionOf((posted) => {
      onlyShop(posted);
      posted.id = 'w2';
    }),
  );
  world.people.atGate = { uat: 'approve', cutover: 'approve' };
  await world.start('w1');
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the first asks for its commit');
  world.script.fail('findRoleGaps', broken);
  await world.start('w2');
  await world.question();
  world.people.atGate = { commit: 'approve' };
  for (const gate of world.openGates()) await world.people.decide(gate);
  await world.ended('w1');
  expect(world.azure.rolesGranted).toBe(true);
  await world.people.answer('cancel');
  expect((await world.ended('w2')).status).toBe('cancelled');
  expect(world.azure.rolesGranted).toBe(false);
});

test('a wave of which some committed and the others are withdrawn gives its environment back', async () => {
  world = await World.open({ change: onlyShop });
  world.people.atGate = { uat: 'approve', commit: 'approve' };
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'cutover'), 'the cutover gate opens');
  const alone = { to: 'withdrawn', workloads: ['web'], reason: 'its owner wants it later' };
  expect(await world.people.try('wavesRollback', { id: 'w1' }, alone, carl)).toBe(true);
  await world.until(() => world.phases()['web'] === 'withdrawn', 'web is withdrawn');
  world.people.atGate = { ...world.people.atGate, cutover: 'approve' };
  for (const gate of world.openGates()) await world.people.decide(gate);
  expect((await world.ended()).status).toBe('incomplete');
  expect(world.phases()).toEqual({ app: 'committed', web: 'withdrawn' });
  expect([...world.hosts.workers]).toEqual([]);
  expect(await world.capabilities.store.appliances.list()).toEqual([]);
  expect(world.azure.rolesGranted).toBe(false);
});

test('a worker is asked about fifty sources at a time, until it was asked about all', async () => {
  const { sources, change } = manyWorkloads(60);
  world = await World.open({ sources, change });
  world.script.once('recordStep', () => world.people.cancel(), {
    matches: ({ what }) => isEndOf('sourceWorker', what),
  });
  await world.start();
  expect((await world.ended()).status).toBe('cancelled');
  const asked = world.bus.sent.flatMap(({ command }) =>
    command.type === 'landfall.worker.verify' ? command.data : [],
  );
  expect(asked.map(({ snapshots }) => snapshots.length)).toEqual([50, 10]);
  expect(new Set(asked.flatMap(({ disks }) => disks.map(({ sourceId }) => sourceId))).size).toBe(60);
  expect(world.wave().steps?.['sourceWorker']?.evidence).toMatchObject({ connectivity: { length: 60 } });
});

function isEndOf(step: string, what: unknown): boolean {
  const { type, data } = what as { type: string; data: { step?: string } };
  return type === 'landfall.step.completed' && data.step === step;
}
