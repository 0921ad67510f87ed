// A pause takes effect between steps, costs nothing while it lasts, and keeps no way back closed.
import { afterEach, describe, expect, test } from 'vitest';
import { onlyDb, onlyShop } from './world/definitions.ts';
import { broken, leaseKept, nothingLeft, servesAsBefore } from './world/expectations.ts';
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
const hour = 3_600_000;

describe('a wave that is paused', () => {
  test('rests between two steps, and goes on where it was once it is resumed', async () => {
    world = await World.open({ change: onlyDb });
    const heard = async () => {
      await world.people.pause();
      await world.told();
    };
    world.script.once('recordStep', heard, { matches: completed('sourceOnboarding') });
    await world.start();
    await world.until(() => world.state('db').phase === 'paused');
    expect(world.state('db')).toMatchObject({
      remembered: 'preparing',
      paused: { by: 'carl', reason: 'told so', deltas: 'goOn' },
    });
    const { length } = world.script.calls;
    await world.motion.pass(2 * hour);
    expect(world.script.calls).toHaveLength(length);
    expect(world.script.called('requestSync')).toBe(0);
    await world.people.resume();
    expect((await world.ended()).status).toBe('committed');
    expect(world.script.called('preflightSource')).toBe(1);
  });

  test('begins no group that has not begun', async () => {
    world = await World.open();
    world.script.once('recordStep', () => world.people.pause(), { matches: completed('migrationAppliance') });
    await world.start();
    await world.motion.pass(hour);
    expect(world.phases()).toEqual({ db: 'registered', app: 'registered', web: 'registered' });
    await world.people.resume();
    expect((await world.ended()).status).toBe('committed');
  });

  test('may be rolled back or cancelled', async () => {
    world = await World.open({ change: onlyShop });
    world.script.once('recordStep', () => world.people.pause(), { matches: completed('initialSync') });
    await world.start();
    await world.until(() => world.phases()['app'] === 'paused' || world.phases()['web'] === 'paused');
    await world.people.cancel();
    expect((await world.ended()).status).toBe('cancelled');
    expect(world.phases()).toMatchObject({ app: 'withdrawn', web: 'withdrawn' });
    await nothingLeft(world);
  });

  test('between the stop of services and the traffic says who is down, and its way back is not paused', async () => {
    world = await World.open({ change: onlyDb });
    let told: unknown;
    world.script.once('recordStep', async () => (told = await world.people.pause()), {
      matches: completed('stopServices'),
    });
    await world.start();
    await world.until(() => world.state('db').phase === 'paused');
    expect(told).toMatchObject({ down: [{ workloadId: 'db' }], warning: expect.stringContaining('db') });
    await world.people.rollBack();
    expect((await world.ended()).status).toBe('rolledBack');
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
    await leaseKept(world);
  });

  test('keeps its questions open, and takes the answer up after it is resumed', async () => {
    world = await World.open({ change: onlyDb });
    world.script.fail('preflightSource', broken);
    await world.start();
    await world.question();
    await world.people.pause();
    await world.people.answer('retry');
    await world.until(() => world.state('db').phase === 'paused');
    await world.people.resume();
    expect((await world.ended()).status).toBe('committed');
  });
});

test('one workload is paused while the other of its group goes on, and cuts over with it after its resume', async () => {
  world = await World.open({ change: onlyShop });
  world.script.once('recordStep', () => world.people.pause({ workloads: ['app'] }), {
    matches: (input) => completed('sourceOnboarding')(input) && (input['workloadIds'] as string[])[0] === 'app',
  });
  await world.start();
  await world.until(() => world.phases()['web'] === 'replicating' && world.phases()['app'] === 'paused');
  await world.motion.pass(hour / 6);
  expect(world.phases()).toMatchObject({ app: 'paused', web: 'replicating' });
  await world.people.resume({ workloads: ['app'] });
  expect((await world.ended()).status).toBe('committed');
});

test('deltas go on while a group is paused, unless the pause says otherwise', async () => {
  world = await World.open({ change: onlyDb, start: '2026-12-05T14:00:00.000Z' });
  world.keepTime();
  delete world.people.atGate.cutover;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'cutover'));
  await world.people.pause({ group: 'data' });
  world.people.atGate.cutover = 'approve';
  for (const gate of world.openGates()) await world.people.decide(gate);
  await world.motion.pass(8 * hour);
  expect(world.state('db')).toMatchObject({ phase: 'paused', remembered: 'cutoverQueued' });
  const before = world.state('db').totals.deltas;
  await world.motion.pass(2 * hour);
  const { deltas } = world.state('db').totals;
  expect(deltas).toBeGreaterThan(before);
  await world.people.pause({ group: 'data', deltas: 'stop' });
  await world.motion.pass(hour);
  const stopped = world.state('db').totals.deltas;
  await world.motion.pass(2 * hour);
  expect(world.state('db').totals.deltas).toBe(stopped);
  await world.people.rollBack();
  expect((await world.ended()).status).toBe('rolledBack');
});

test('a pause and a resume that are told twice, and out of order, leave nothing paused', async () => {
  world = await World.open({ change: onlyDb, times: 2 });
  world.script.once(
    'recordStep',
    async () => {
      await world.people.pause();
      await world.people.resume();
    },
    { matches: completed('sourceOnboarding') },
  );
  await world.start();
  expect((await world.ended()).status).toBe('committed');
});
