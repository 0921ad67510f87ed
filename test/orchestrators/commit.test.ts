import { afterEach, expect, test } from 'vitest';
import { onlyDb } from './world/definitions.ts';
import { nothingLeft, times } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

test('a wave of two groups commits: the second waits for the first, traffic moves, and the last one out tidies up', async () => {
  world = await World.open();
  world.script.once(
    'openGate',
    () => expect(world.phases()).toMatchObject({ db: 'committed', app: 'tested', web: 'tested' }),
    {
      matches: ({ groupId, name }) => groupId === 'shop' && name === 'cutover',
    },
  );
  await world.start();
  const { status, groups } = await world.ended();
  expect(status).toBe('committed');
  expect(groups).toMatchObject({ data: { status: 'committed' }, shop: { status: 'committed' } });
  expect(world.phases()).toEqual({ db: 'committed', app: 'committed', web: 'committed' });
  for (const id of ['db-01', 'app-01', 'web-01']) {
    expect(world.hosts.machine(id)).toMatchObject({ power: 'off', nicConnected: false });
    const address = await world.capabilities.azure.compute.privateAddress({} as never, id);
    expect(world.azure.records.get(`A ${id}`)).toEqual({ ttlSeconds: 30, values: [address] });
    expect(times(world, `create machine/${id}`)).toBe(1);
  }
  const targets = world.azure.names().filter((name) => /\/(db|app|web)-01(-|$)/.test(name));
  expect(world.azure.names()).toEqual(targets);
  for (const name of targets) world.azure.resources.delete(name);
  await nothingLeft(world);
  // web needs app: it stops first and starts last.
  expect(world.changes.indexOf('web-01 off')).toBeLessThan(world.changes.indexOf('app-01 web stopped'));
  expect(world.changes.indexOf('create machine/app-01')).toBeLessThan(world.changes.indexOf('create disk/web-01-os'));
  const traffic = world.changes.findIndex((change) => change.startsWith('app-01 is'));
  expect(traffic).toBeGreaterThan(world.changes.indexOf('web-01 behind open'));
  const log = await world.capabilities.store.workloads.events('w1', 'db');
  const evidence = log.flatMap(({ event }) =>
    event.type === 'landfall.step.completed' && event.data.step === 'postCutover' ? [event.data.evidence] : [],
  );
  expect(evidence).toMatchObject([
    { actions: expect.arrayContaining([expect.objectContaining({ before: 'role absent', after: 'role=db-01' })]) },
  ]);
  const entered = log.flatMap(({ event }) =>
    event.type === 'landfall.workload.phaseEntered' ? [event.data.phase] : [],
  );
  expect(entered).toEqual(
    'preparing replicating testing tested cutoverQueued stoppingServices finalSync sourceOff launching trafficMoved validating committed'.split(
      ' ',
    ),
  );
});

test('an order that comes while the group commits finds nobody who could go back, and changes nothing', async () => {
  world = await World.open({ change: onlyDb });
  const order = async () => {
    await world.people.rollBack();
    await world.told();
  };
  world.script.once('enterPhase', order, { when: 'before', matches: ({ phase }) => phase === 'committed' });
  await world.start();
  const { status, steps } = await world.ended();
  expect(status).toBe('committed');
  expect(Object.keys(steps ?? {})).toEqual(['targetIam', 'migrationAppliance']);
});
