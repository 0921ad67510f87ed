// A target under a data collection rule, in the modelled world: once it has committed, and no longer once it was led back.
import { afterEach, expect, test } from 'vitest';
import { beforeStates } from '../../rehearsal/end/beforeStates.ts';
import { onlyDb } from './world/definitions.ts';
import { broken } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const group = '/subscriptions/2b6f0cc9-04d1-4a3d-9a44-7c9f3a1d5e01/resourceGroups/landing';
const dataCollectionRuleId = `${group}/providers/Microsoft.Insights/dataCollectionRules/servers`;
const association = `db-01 under ${dataCollectionRuleId}`;
const watched = (posted: Parameters<typeof onlyDb>[0]): void => {
  onlyDb(posted);
  const actions = posted.groups[0]?.workloads[0]?.settings?.cutover?.actions;
  actions?.splice(1, 0, { kind: 'monitoring', name: 'watch', dataCollectionRuleId });
};
const associations = () => [...world.azure.monitored.associations];
async function toCommitGate(): Promise<void> {
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
}

test.each([1, 2])('a committed target is under its rule, each activity running %i×', async (times) => {
  world = await World.open({ change: watched, times });
  const before = beforeStates.note(world);
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(associations()).toEqual([association]);
  expect(beforeStates.compare(world, before)).toEqual([]);
  world.azure.monitored.associations.clear();
  expect(beforeStates.compare(world, before)).toEqual([`db-01 committed, and is not under ${dataCollectionRuleId}`]);
});

test('a rollback takes the association away before the target goes, and one that is left is found', async () => {
  world = await World.open({ change: watched });
  const before = beforeStates.note(world);
  await toCommitGate();
  await world.people.rollBack();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(associations()).toEqual([]);
  const taken = world.changes.indexOf(`db-01 no longer under ${dataCollectionRuleId}`);
  expect(world.changes.indexOf('delete machine/db-01')).toBeGreaterThan(taken);
  expect(taken).toBeGreaterThan(0);
  expect(beforeStates.compare(world, before)).toEqual([]);
  world.azure.monitored.associations.add(association);
  expect(beforeStates.compare(world, before)).toEqual([`${association} is left`]);
});

test('an association that somebody takes away is found by the look at the end of step 11', async () => {
  world = await World.open({ change: watched });
  world.script.once('applyAction', () => world.azure.monitored.associations.clear(), {
    matches: ({ index }) => index === 1,
  });
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]?.failure.message).toContain('watch (monitoring) is not under');
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('a rule that is not there is found while the source serves', async () => {
  world = await World.open({ change: watched });
  world.azure.monitored.missing.add(dataCollectionRuleId);
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'stopServices', during: 'precheck' }]);
  expect(world.state('db').downtime).toBeUndefined();
  world.azure.monitored.missing.clear();
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('an undo that fails says which association is left', async () => {
  world = await World.open({ change: watched });
  await toCommitGate();
  world.script.fail('undoAction', broken, { matches: ({ index }) => index === 1 });
  await world.people.rollBack();
  await world.question();
  expect(world.openQuestions()[0]?.todo).toContain(
    `delete the association of the machine db-01 with the data collection rule ${dataCollectionRuleId}`,
  );
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(associations()).toEqual([]);
});
