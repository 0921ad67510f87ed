// What people and policies decide: who is held, who commits, who goes back.
import { afterEach, describe, expect, test } from 'vitest';
import type { GateDocument } from '../../shared/store/documents.ts';
import { onlyDb } from './world/definitions.ts';
import { leaseKept, servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

test('a group whose dependency rolled back is held and goes back to replicating', async () => {
  world = await World.open();
  world.script.once('applyAction', () => world.people.rollBack('replicating', 'data'));
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.wave().groups).toMatchObject({ data: { status: 'rolledBack' }, shop: { status: 'held' } });
  expect(world.phases()).toEqual({ db: 'replicating', app: 'replicating', web: 'replicating' });
  await leaseKept(world);
});

test('a rejected cutover holds the group', async () => {
  world = await World.open({ change: onlyDb });
  world.people.atGate.cutover = 'reject';
  await world.start();
  expect((await world.ended()).groups).toMatchObject({ data: { status: 'held', reason: 'the cutover was rejected' } });
  expect(world.phases()).toEqual({ db: 'replicating' });
});

test('a rejected sign-off of UAT becomes a question, and another look may be approved', async () => {
  world = await World.open({ change: onlyDb });
  world.people.atGate.uat = 'reject';
  await world.start();
  await world.until(() => world.openQuestions().length > 0);
  world.people.atGate.uat = 'approve';
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('a gate before a step is asked for each workload, and a rejection becomes a question that a retry asks again', async () => {
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      posted.gates = { ...posted.gates, before: { initialSync: {}, targetIam: {}, postCutover: { required: false } } };
    },
  });
  Object.assign(world.people.atGate, { 'before:targetIam': 'approve', 'before:initialSync': 'reject' });
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]).toMatchObject({ step: 'initialSync', failure: { code: 'gateRejected' } });
  expect(world.script.called('createStaging')).toBe(0);
  world.people.atGate['before:initialSync'] = 'approve';
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
  const before = world.documents<GateDocument>('gate').filter(({ name }) => name.startsWith('before:'));
  expect(before.map(({ name, groupId, workloadIds, status }) => ({ name, groupId, workloadIds, status }))).toEqual([
    { name: 'before:targetIam', groupId: undefined, workloadIds: [], status: 'approved' },
    { name: 'before:initialSync', groupId: 'data', workloadIds: ['db'], status: 'rejected' },
    { name: 'before:initialSync', groupId: 'data', workloadIds: ['db'], status: 'approved' },
  ]);
});

describe('the commit policy rolls back', () => {
  const acceptDataLoss = 'a rehearsal';
  const policies = {
    'when validation fails and it says so': { onFailed: 'rollback', acceptDataLoss },
    'when a rehearsal is all that it wants': { onPassed: 'rollback', acceptDataLoss },
    'when the commit is rejected': {},
    'when nobody decides in time and it says so': { timeout: 'PT1H', onTimeout: 'rollback', acceptDataLoss },
  } as const;
  test.each(Object.keys(policies) as (keyof typeof policies)[])('%s', async (when) => {
    world = await World.open({
      change: (posted) => {
        onlyDb(posted);
        posted.commitPolicy = policies[when];
      },
    });
    world.keepTime();
    if (when.startsWith('when validation'))
      world.appliances.failsCheck = () => world.state('db').phase === 'validating';
    if (when.startsWith('when the commit')) world.people.atGate.commit = 'reject';
    if (when.startsWith('when nobody')) delete world.people.atGate.commit;
    await world.start();
    expect((await world.ended()).status).toBe('rolledBack');
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
    expect(world.phases()).toEqual({ db: 'replicating' });
    expect(world.documents('attention')).toEqual([]);
  });
});

test('failed validation waits for people where the policy says so', async () => {
  world = await World.open({ change: onlyDb });
  world.appliances.failsCheck = () => world.state('db').phase === 'validating';
  await world.start();
  await world.until(() => world.openQuestions().length > 0);
  expect(world.openQuestions()[0]).toMatchObject({ step: 'finalValidation', failure: { code: 'checkFailed' } });
  world.appliances.failsCheck = () => false;
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('clones that nobody signs off are removed when their time is over, and made anew after a retry', async () => {
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      posted.settings = { ...posted.settings, uat: { ...posted.settings?.uat, expiresAfter: 'PT1H' } };
    },
  });
  world.keepTime();
  delete world.people.atGate.uat;
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]).toMatchObject({ step: 'uat', failure: { code: 'gateRejected' } });
  expect(world.state('db')).toMatchObject({ phase: 'attention', remembered: 'testing' });
  expect(world.azure.names().filter((name) => name.includes('-uat'))).toEqual([]);
  world.people.atGate.uat = 'approve';
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});
