// What a failure says, and what may be answered to it.
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
const events = async (type: string) => {
  const all = await world.capabilities.store.workloads.events('w1', 'db');
  return all.map(({ event }) => event).filter((event) => event.type === type);
};

test('a failure of a look beforehand says that nothing has been changed, and there is nothing to undo', async () => {
  world = await World.open({ change: onlyDb });
  world.script.fail('goNoGo', broken);
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([
    { step: 'stopServices', during: 'precheck', evidence: { services: [{ name: 'engine', state: 'running' }, {}] } },
  ]);
  expect(world.openQuestions()[0]?.failure.message).toContain('Nothing has been changed.');
  await world.people.answer('rollback');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.script.called('commandSource', ({ command }) => command === 'start')).toBe(0);
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('what was seen before and after the work is evidence of a completed step', async () => {
  world = await World.open({ change: onlyDb });
  await world.start();
  await world.ended();
  expect(world.state('db').steps['stopServices']?.checked).toMatchObject({
    before: { go: true },
    after: {
      services: [
        { state: 'stopped', startMode: 'manual' },
        { state: 'stopped', startMode: 'manual' },
      ],
    },
  });
  expect(world.state('db').steps['finalDelta']?.checked).toMatchObject({
    after: { power: 'off', nicConnected: false },
  });
});

test.each([
  ['runs again', () => world.hosts.setService('db-01', 'engine', 'running')],
  ['would start with its machine again', () => world.hosts.setStartMode('db-01', 'engine', 'automatic')],
])('a service that %s after it was stopped is found before the final sync', async (_, meddle) => {
  world = await World.open({ change: onlyDb });
  const stopped = (input: Record<string, unknown>) =>
    (input['what'] as { type: string }).type === 'landfall.downtime.began';
  world.script.once(
    'recordStep',
    () => {
      world.script.once('commandSource', meddle, {
        matches: ({ operationId }) => String(operationId).includes('afterStop'),
        when: 'before',
      });
    },
    { matches: stopped },
  );
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([
    { step: 'stopServices', during: 'verify', failure: { code: 'serviceFailed' } },
  ]);
  expect(world.script.called('requestSync', ({ kind }) => kind === 'final')).toBe(0);
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

describe('a retry with changed input', () => {
  const refused = async () => {
    world = await World.open({ change: onlyDb });
    world.hosts.machine('db-01').refusesShutdown = true;
    await world.start();
    await world.question();
  };

  test('holds for that attempt, is on record with its author, and leaves the plan alone', async () => {
    await refused();
    expect(world.openQuestions()[0]?.accepts).toHaveProperty('properties.onShutdownRefused');
    const changed = { onShutdownRefused: 'force' };
    await world.people.answer('retry', { changed });
    expect((await world.ended()).status).toBe('committed');
    expect(world.state('db').steps['finalDelta']).toMatchObject({ attempt: 2, evidence: { forced: true } });
    expect(await events('landfall.workload.attentionAnswered')).toMatchObject([
      { source: 'user:carl', data: { changed } },
    ]);
    const begun = await events('landfall.step.started');
    expect(begun.filter(({ data }) => 'changed' in data)).toMatchObject([
      { data: { attempt: 2, changed, by: 'carl' } },
    ]);
    const { plan } = (await world.capabilities.store.workloads.get('w1', 'db')) ?? {};
    expect(plan?.settings.cutover.onShutdownRefused).toBe('abort');
  });

  test('does not outlive its attempt', async () => {
    await refused();
    await world.people.answer('retry', { changed: { withinSeconds: 30 } });
    await world.question();
    expect(world.openQuestions()[0]?.failure.message).toContain('within 30 s');
    await world.people.answer('retry');
    await world.question();
    expect(world.openQuestions()[0]?.failure.message).not.toContain('within 30 s');
    await world.people.answer('rollback');
    await world.ended();
  });
});

test('a failure answered with cancel withdraws what the wave has made', async () => {
  world = await World.open({ change: onlyShop });
  world.script.fail('preflightSource', broken, { matches: ({ workloadId }) => workloadId === 'app' });
  await world.start();
  await world.question();
  await world.people.answer('cancel');
  await world.ended();
  expect(world.phases()).toMatchObject({ app: 'withdrawn', web: 'withdrawn' });
  await nothingLeft(world);
});

test('a rollback that is the answer may go to withdrawn', async () => {
  world = await World.open({ change: onlyDb });
  world.script.fail('setPower', broken);
  await world.start();
  await world.question();
  await world.people.answer('rollback', { to: 'withdrawn' });
  await world.ended();
  expect(world.phases()).toEqual({ db: 'withdrawn' });
  await nothingLeft(world);
});

test('a failed undo names what remains, and who did it by hand is on record', async () => {
  world = await World.open({ change: onlyDb });
  world.script.fail('setPower', broken, { matches: ({ action }) => action === 'on' });
  world.script.once('applyAction', () => world.people.rollBack());
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([
    {
      step: 'finalDelta',
      during: 'undo',
      choices: ['retry', 'doneByHand'],
      todo: [
        'stop the final sync of db at its appliance',
        'connect the network of the source of db',
        'power the source of db on',
      ],
    },
  ]);
  const { source } = world.hosts.machine('db-01');
  await world.capabilities.hosts.of(source)!.powerOn(source);
  await world.people.answer('doneByHand');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.state('db').steps['finalDelta']).toMatchObject({
    status: 'undone',
    decided: { by: 'carl', reason: 'told so' },
  });
  expect(times(world, 'db-01 on')).toBe(1);
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  await leaseKept(world);
});

describe('a step that can be skipped or made do with less', () => {
  test('UAT whose checks fail is skipped by an approver, its clones go, and the record says who did it', async () => {
    world = await World.open({ change: onlyDb });
    world.appliances.failsCheck = () => world.state('db').phase === 'testing';
    await world.start();
    await world.question();
    expect(world.openQuestions()[0]).toMatchObject({ step: 'uat', skipNeeds: 'approver', changesNeed: 'approver' });
    await world.people.answer('skip');
    expect((await world.ended()).status).toBe('committed');
    expect(world.state('db').steps['uat']).toMatchObject({
      status: 'skipped',
      decided: { by: 'carl', reason: 'told so' },
      evidence: { signOff: 'skipped' },
    });
    expect(world.azure.names().filter((name) => name.includes('-uat'))).toEqual([]);
  });

  test('a network that is not isolated is found before anything is made, and skipping UAT then makes nothing', async () => {
    world = await World.open({ change: onlyDb });
    world.script.fail('proveTestIsolation', broken);
    await world.start();
    await world.question();
    expect(world.openQuestions()[0]).toMatchObject({ step: 'uat', during: 'precheck' });
    await world.people.answer('skip');
    expect((await world.ended()).status).toBe('committed');
    expect(world.script.called('createMachine', ({ purpose }) => purpose === 'test')).toBe(0);
  });

  test('validation leaves out the checks that an approver names, once', async () => {
    world = await World.open({ change: onlyDb });
    world.appliances.failsCheck = (name) => name === 'answers' && world.state('db').phase === 'validating';
    await world.start();
    await world.question();
    expect(world.openQuestions()[0]).toMatchObject({ step: 'finalValidation' });
    await world.people.answer('retry', { changed: { leaveOut: ['answers'] } });
    expect((await world.ended()).status).toBe('committed');
  });

  test('an action that fails is left out, the traffic moves all the same, and what was done is confirmed', async () => {
    world = await World.open({ change: onlyDb });
    world.script.fail('applyAction', broken, { matches: ({ index }) => index === 1, times: 2 });
    await world.start();
    await world.question();
    await world.people.answer('retry');
    await world.question();
    await world.people.answer('retry', { changed: { leaveOut: ['tags'] } });
    expect((await world.ended()).status).toBe('committed');
    const { evidence, checked } = world.state('db').steps['postCutover'] ?? {};
    expect(evidence).toMatchObject({ actions: [{ action: 'open' }, { action: 'traffic' }] });
    expect(checked).toEqual({ before: { actions: 2 }, after: { stand: 2 } });
  });

  test('an action that somebody changes back is found by the look afterwards', async () => {
    world = await World.open({ change: onlyDb });
    world.script.once(
      'undoneActions',
      () => world.azure.records.set('A db-01', { ttlSeconds: 30, values: ['10.1.1.1'] }),
      { when: 'before' },
    );
    await world.start();
    await world.question();
    expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', during: 'verify' }]);
    expect(world.openQuestions()[0]?.failure.message).toContain('db: traffic (dns) is 10.1.1.1 instead of');
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });
});

test('passing a point of no return is an entry of its own', async () => {
  world = await World.open({ change: onlyDb });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect((await events('landfall.workload.wayBackChanged')).map(({ data }) => data)).toEqual([
    { was: 'free', may: 'acceptDataLoss' },
    { was: 'acceptDataLoss', may: 'none' },
  ]);
});
