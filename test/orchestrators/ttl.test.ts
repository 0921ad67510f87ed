// How long records live around a cutover: lowered in time, waited for, and put back wherever it ends.
import { afterEach, describe, expect, test } from 'vitest';
import { terminal } from '../../shared/errors.ts';
import type { WaveDefinition } from '../../shared/model/wave.ts';
import { msBetween } from '../../shared/policy/duration.ts';
import { onlyDb, onlyShop } from './world/definitions.ts';
import { broken, servesAsBefore, times } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const evening = '2026-12-05T17:00:00.000Z';
const ttlOf = (record = 'db-01') => world.azure.records.get(`A ${record}`)?.ttlSeconds;
const calledAt = (name: string) => world.script.calls.filter((call) => call.name === name).map(({ at }) => at);
const services = { engine: 'running', reports: 'running' };
const gateOpen = (name: string) => world.openGates().some((gate) => gate.name === name);

/** One workload whose record keeps what it lived before, unless the plan says otherwise. */
const plain =
  (ttl?: NonNullable<NonNullable<WaveDefinition['settings']>['cutover']>['ttl'], ttlSeconds?: number) =>
  (posted: Parameters<typeof onlyDb>[0]): void => {
    onlyDb(posted);
    for (const { settings } of posted.groups.flatMap(({ workloads }) => workloads)) {
      if (settings?.cutover === undefined) continue;
      if (ttl !== undefined) settings.cutover.ttl = ttl;
      for (const action of settings.cutover.actions ?? [])
        if (action.kind === 'dns') {
          delete action.ttlSeconds;
          if (ttlSeconds !== undefined) action.ttlSeconds = ttlSeconds;
        }
    }
  };

test.each([1, 2])(
  'records are lowered ahead of the window, and live as long as before once it has committed, each activity running %i×',
  async (often) => {
    world = await World.open({ change: plain(), start: evening, times: often });
    world.keepTime();
    await world.start();
    await world.until(() => ttlOf() === 60, 'the record is lowered');
    expect(world.capabilities.now()).toMatch(/^2026-12-05T20:00:0/);
    expect(world.state('db').ttl).toMatchObject({ records: [{ record: 'db-01', wasSeconds: 300 }] });
    expect(world.azure.records.get('A db-01')?.values).toEqual(['10.9.9.9']);
    expect((await world.ended()).status).toBe('committed');
    expect(world.state('db').downtime?.began).toMatch(/^2026-12-05T21:0/);
    expect(world.azure.records.get('A db-01')).toMatchObject({ ttlSeconds: 300 });
    expect(world.azure.records.get('A db-01')?.values).not.toEqual(['10.9.9.9']);
    expect(world.state('db').ttl).toBeUndefined();
    expect(times(world, 'db-01 lives 60 s')).toBe(1);
    expect(times(world, 'db-01 lives 300 s')).toBe(1);
  },
);

test('a record that lives longer than the plan looks ahead is lowered so much earlier', async () => {
  world = await World.open({ change: plain({ lower: true, during: 30, ahead: 'PT10M' }), start: evening });
  world.azure.records.set('A db-01', { ttlSeconds: 7200, values: ['10.9.9.9'] });
  world.keepTime();
  await world.start();
  await world.until(() => ttlOf() === 30, 'the record is lowered');
  expect(world.capabilities.now()).toMatch(/^2026-12-05T18:59:/);
  await world.ended();
  expect(ttlOf()).toBe(7200);
});

test('in a window that is open already the cutover waits until old answers have run out, and says so', async () => {
  world = await World.open({ change: plain() });
  world.azure.records.set('A db-01', { ttlSeconds: 1800, values: ['10.9.9.9'] });
  world.keepTime();
  await world.start();
  await world.until(
    () => world.wave().groups['data']?.reason?.startsWith('old answers of DNS run out at '),
    'a reason',
  );
  const { clearAt = '' } = world.state('db').ttl ?? {};
  expect(world.phases()['db']).toBe('cutoverQueued');
  expect((await world.ended()).status).toBe('committed');
  expect((world.state('db').downtime?.began ?? '') >= clearAt).toBe(true);
});

test('old answers that run too long for the window are a no-go, and the record is put back', async () => {
  world = await World.open({ change: plain() });
  world.azure.records.set('A db-01', { ttlSeconds: 14_400, values: ['10.9.9.9'] });
  world.keepTime();
  await world.start();
  const { groups } = await world.ended();
  expect(groups['data']).toMatchObject({ status: 'held' });
  expect(world.state('db').downtime).toBeUndefined();
  expect(ttlOf()).toBe(14_400);
});

test('while people think about the cutover its record is lowered, and a window that passed puts it back until the next one', async () => {
  world = await World.open({
    start: evening,
    change: (posted) => {
      plain()(posted);
      posted.window = { ...posted.window, repeat: 'FREQ=DAILY;COUNT=2' };
    },
  });
  world.keepTime();
  delete world.people.atGate.cutover;
  await world.start();
  await world.until(() => gateOpen('cutover'), 'the gate');
  await world.until(() => ttlOf() === 60, 'the record is lowered');
  await world.motion.pass(9 * 3_600_000);
  world.people.atGate.cutover = 'approve';
  for (const gate of world.openGates()) await world.people.decide(gate);
  await world.until(() => ttlOf() === 300, 'the record is put back');
  await world.until(() => ttlOf() === 60, 'the record is lowered again');
  expect(world.capabilities.now()).toMatch(/^2026-12-06T20:00:0/);
  expect((await world.ended()).status).toBe('committed');
  expect(ttlOf()).toBe(300);
});

test('a plan that does not lower leaves records as they live, and one that says so lets them live otherwise afterwards', async () => {
  world = await World.open({ change: plain({ lower: false, during: 60, ahead: 'PT1H' }), start: evening });
  world.keepTime();
  await world.start();
  await world.ended();
  expect(ttlOf()).toBe(300);
  expect(calledAt('lowerTtl')).toEqual([]);
  await world.close();
  world = await World.open({ change: plain(undefined, 900) });
  world.azure.records.set('A db-01', { ttlSeconds: 30, values: ['10.9.9.9'] });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(ttlOf()).toBe(900);
  expect(calledAt('lowerTtl')).toEqual([]);
});

describe('a record that was lowered is put back', () => {
  const lowered = async (change: Parameters<typeof World.open>[0] = {}) => {
    world = await World.open({ change: plain(), start: evening, ...change });
    world.keepTime();
    delete world.people.atGate.cutover;
    await world.start();
    await world.until(() => ttlOf() === 60, 'the record is lowered');
  };

  test('when the cutover is rejected', async () => {
    await lowered();
    world.people.atGate.cutover = 'reject';
    for (const gate of world.openGates()) await world.people.decide(gate);
    expect((await world.ended()).groups['data']).toMatchObject({ status: 'held' });
    servesAsBefore(world, 'db-01', services);
  });

  test.each([
    ['cancelled', () => world.people.cancel()],
    ['rolled back', () => world.people.rollBack()],
    ['withdrawn', () => world.people.rollBack('withdrawn')],
  ])('when the wave is %s', async (_what, order) => {
    await lowered();
    await order();
    await world.ended();
    servesAsBefore(world, 'db-01', services);
  });

  test('when it is rolled back after its traffic has moved: first to where it led, then to how long it lived', async () => {
    world = await World.open({ change: plain() });
    delete world.people.atGate.commit;
    await world.start();
    await world.until(() => gateOpen('commit'), 'the commit gate');
    await world.people.rollBack();
    await world.ended();
    servesAsBefore(world, 'db-01', services);
    const told = world.changes.filter((what) => what.startsWith('db-01 is ') || what.startsWith('db-01 lives '));
    expect(told.slice(-2)).toEqual(['db-01 is 10.9.9.9', 'db-01 lives 300 s']);
  });

  test('when its workload leaves, while those of the others stay lowered', async () => {
    world = await World.open({ change: onlyShop, start: evening });
    world.azure.records.set('A app-01', { ttlSeconds: 300, values: ['10.9.9.9'] });
    world.keepTime();
    delete world.people.atGate.cutover;
    await world.start();
    await world.until(() => ttlOf('web-01') === 60 && ttlOf('app-01') === 60, 'both are lowered');
    await world.people.rollBackAlone(['web']);
    await world.until(() => world.phases()['web'] === 'replicating' && ttlOf('web-01') === 300, 'web has left');
    expect(ttlOf('app-01')).toBe(60);
    world.people.atGate.cutover = 'approve';
    await world.until(() => gateOpen('cutover') || world.hasEnded(), 'a gate');
    for (const gate of world.openGates()) await world.people.decide(gate);
    await world.ended();
    expect(world.phases()).toMatchObject({ app: 'committed', web: 'replicating' });
    expect(ttlOf('app-01')).toBe(30);
    servesAsBefore(world, 'web-01', { web: 'running' });
  });

  test('by hand where Azure refuses it for good, and the wave’s people are asked after a commit', async () => {
    world = await World.open({ change: plain() });
    world.script.fail('restoreTtl', broken);
    await world.start();
    await world.question();
    expect(world.openQuestions()).toMatchObject([
      { step: 'postCutover', workloadIds: [], choices: ['retry', 'doneByHand'] },
    ]);
    expect(world.phases()).toEqual({ db: 'committed' });
    await world.people.answer('doneByHand');
    expect((await world.ended()).status).toBe('committed');
    expect(ttlOf()).toBe(60);
    expect(world.state('db').ttl).toBeUndefined();
  });
});

test('a record that cannot be lowered asks people before the cutover, and they may go on with it as it is', async () => {
  world = await World.open({ change: plain() });
  world.script.fail('lowerTtl', broken, { times: 2 });
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', during: 'precheck' }]);
  expect(world.phases()['db']).toBe('attention');
  await world.people.answer('skip');
  expect((await world.ended()).status).toBe('committed');
  expect(times(world, 'db-01 lives 60 s')).toBe(0);
});

test('what was lowered by a try that came to no end is known as it was before anybody lowered it', async () => {
  world = await World.open({ change: plain() });
  const { dns } = world.azure;
  const { set } = dns;
  let lost = 0;
  dns.set = async (...record) => {
    await set(...record);
    if (++lost === 1) throw terminal('azureRejected', 'The answer is lost.', 'Look.');
  };
  await world.start();
  await world.until(() => ttlOf() === 60, 'the record is lowered');
  const loweredAt = world.capabilities.now();
  expect((await world.ended()).status).toBe('committed');
  expect(msBetween(loweredAt, world.state('db').downtime?.began ?? '')).toBeGreaterThanOrEqual(300_000);
  expect(ttlOf()).toBe(300);
});

test('nobody stops a service while clients keep old answers, whatever people have said before', async () => {
  world = await World.open({ change: plain() });
  world.script.once(
    'goNoGo',
    () =>
      world.capabilities.store.workloads.append('w1', 'db', [
        {
          id: 'late',
          ...{ time: world.capabilities.now(), source: 'platform', operationId: 'late' },
          ...{ type: 'landfall.ttl.lowered', data: { clearAt: '2026-12-05T23:00:00.000Z' } },
        },
      ]),
    { when: 'before' },
  );
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]?.failure).toMatchObject({ code: 'ttlNotRunOut' });
  await world.people.answer('rollback');
  await world.ended();
});

test('a record that moves while clients keep its old answer is a finding: the model sees what the orchestration prevents', async () => {
  world = await World.open({ change: onlyDb });
  const { dns } = world.azure;
  await dns.set('zone', 'other', 'A', { ttlSeconds: 300, values: ['10.0.0.1'] });
  await dns.set('zone', 'other', 'A', { ttlSeconds: 60, values: ['10.0.0.1'] });
  await world.motion.pass(299_000);
  await dns.set('zone', 'other', 'A', { ttlSeconds: 60, values: ['10.0.0.2'] });
  expect(world.monitor.findings.map(({ what }) => what)).toEqual(['other moves while clients keep its old answer']);
  world.monitor.findings.length = 0;
  await world.motion.pass(1_000);
  await dns.set('zone', 'other', 'A', { ttlSeconds: 60, values: ['10.0.0.3'] });
  expect(world.monitor.findings).toEqual([]);
});
