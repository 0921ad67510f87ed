// A group cuts over in batches: rushed first, deferred or not approved later, all or none within each.
import { afterEach, expect, test } from 'vitest';
import type { GateDocument } from '../../shared/store/documents.ts';
import { onlyShop } from './world/definitions.ts';
import { broken, servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const twoNights = {
  start: '2026-12-05T22:00',
  duration: 'PT4H',
  zone: 'Europe/Amsterdam',
  repeat: 'FREQ=DAILY;COUNT=2',
};
type Posted = Parameters<NonNullable<NonNullable<Parameters<typeof World.open>[0]>['change']>>[0];

async function open(change: (posted: Posted) => void = () => {}): Promise<void> {
  world = await World.open({
    change: (posted) => {
      onlyShop(posted);
      change(posted);
    },
  });
  world.keepTime();
  delete world.people.atGate.cutover;
}
/** `web` needs nobody. */
const alone = (posted: Posted) => {
  for (const { workloads } of posted.groups)
    for (const workload of workloads) if (workload.id === 'web') workload.dependsOn = [];
};
const cutoverGate = () => world.openGates().find(({ name }) => name === 'cutover');
async function gate(): Promise<GateDocument> {
  await world.until(() => cutoverGate() !== undefined, 'the cutover gate');
  return cutoverGate() as GateDocument;
}
const committedAt = async (id: string) => {
  const log = await world.capabilities.store.workloads.events('w1', id);
  return (
    log.find(({ event }) => event.type === 'landfall.workload.phaseEntered' && event.data.phase === 'committed')?.event
      .time ?? ''
  );
};

test('who is deferred replicates on while the others cut over, and follows in the next window after a gate of its own', async () => {
  await open((posted) => {
    posted.window = twoNights;
  });
  await world.start();
  const first = await gate();
  await world.people.turn('defer', 'web');
  await world.until(() => cutoverGate() !== undefined && cutoverGate()?.id !== first.id, 'another gate');
  expect(cutoverGate()).toMatchObject({ workloadIds: ['app'] });
  await world.people.approve(await gate());
  await world.until(() => world.state('app').phase === 'committed', 'app commits');
  expect(world.state('web').phase).toBe('tested');
  await world.until(() => world.wave().groups['shop']?.status === 'waiting', 'the group waits');
  expect(world.wave().groups['shop']?.reason).toContain('2026-12-06T21:00:00.000Z');
  const second = await gate();
  expect(second).toMatchObject({ workloadIds: ['web'] });
  expect(second.openedAt >= '2026-12-06T01:00:00.000Z').toBe(true);
  await world.people.approve(second);
  expect((await world.ended()).status).toBe('committed');
  expect((await committedAt('web')) > '2026-12-06T21:00:00.000Z').toBe(true);
});

test('who is deferred without another window is held, the wave is incomplete, and its next start does what is left', async () => {
  await open();
  await world.start();
  await gate();
  await world.people.turn('defer', 'web');
  await world.until(() => cutoverGate()?.workloadIds?.length === 1, 'a gate for app alone');
  world.people.atGate.cutover = 'approve';
  await world.people.approve(await gate());
  const { status, groups } = await world.ended();
  expect(status).toBe('incomplete');
  expect(groups['shop']).toMatchObject({ status: 'incomplete', reason: expect.stringContaining('web held') });
  expect(world.phases()).toEqual({ app: 'committed', web: 'replicating' });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(world.phases()).toEqual({ app: 'committed', web: 'committed' });
});

test('who is rushed goes first with what it depends on, and the others follow', async () => {
  await open(alone);
  await world.start();
  await gate();
  await world.people.turn('rush', 'web');
  await world.until(() => cutoverGate()?.workloadIds?.length === 1, 'a gate for web alone');
  await world.people.approve(await gate());
  await world.until(() => world.state('web').phase === 'committed', 'web commits');
  expect(world.state('app').phase).toBe('tested');
  expect(await gate()).toMatchObject({ workloadIds: ['app'] });
  await world.people.approve(await gate());
  expect((await world.ended()).status).toBe('committed');
});

test('of a group whose first batch has committed, a rollback undoes the rest and leaves that', async () => {
  await open(alone);
  await world.start();
  await gate();
  await world.people.turn('rush', 'web');
  await world.until(() => cutoverGate()?.workloadIds?.length === 1, 'a gate for web alone');
  await world.people.approve(await gate());
  await world.until(() => world.state('web').phase === 'committed', 'web commits');
  world.people.atGate.cutover = 'approve';
  world.script.once('applyAction', () => world.people.rollBack('replicating', 'shop'), {
    matches: ({ workloadId }) => workloadId === 'app',
  });
  const { status, groups } = await world.ended();
  expect([status, groups['shop']?.status]).toEqual(['incomplete', 'incomplete']);
  expect(world.phases()).toEqual({ app: 'replicating', web: 'committed' });
  servesAsBefore(world, 'app-01', { web: 'running' });
  expect(world.hosts.machine('web-01').power).toBe('off');
});

test('a cancel that comes when traffic moves, and accepts no loss, is told and is over: the next batch does not heed it', async () => {
  await open(alone);
  delete world.people.atGate.commit;
  await world.start();
  await gate();
  await world.people.turn('rush', 'web');
  await world.until(() => cutoverGate()?.workloadIds?.length === 1, 'a gate for web alone');
  const cancelled = async () => {
    await world.people.cancel();
    await world.told();
  };
  world.script.once('enterPhase', cancelled, { when: 'before', matches: ({ phase }) => phase === 'trafficMoved' });
  await world.people.approve(await gate());
  const commitGate = () => world.openGates().find(({ name }) => name === 'commit');
  await world.until(() => commitGate() !== undefined, 'the commit gate');
  expect(world.wave().unheeded).toMatchObject([
    { groupId: 'shop', action: 'cancel', why: expect.stringContaining('traffic moved to web') },
  ]);
  const entries = await world.capabilities.store.journal.entries('w1');
  const told = entries.filter(({ entry }) => entry.type === 'landfall.order.notHeeded');
  expect(told.map(({ entry }) => entry.data)).toMatchObject([
    { action: 'cancel', reason: 'told so', wayOut: expect.stringContaining('"acceptDataLoss": true') },
  ]);
  world.people.atGate.commit = 'approve';
  await world.people.approve(commitGate() as GateDocument);
  await world.people.approve(await gate());
  expect((await world.ended()).status).toBe('committed');
  expect(world.phases()).toEqual({ app: 'committed', web: 'committed' });
});

test('who is not approved stays behind with those that depend on it', async () => {
  await open((posted) => {
    posted.gates = { cutover: { partial: true } };
    alone(posted);
  });
  await world.start();
  const asked = await gate();
  await world.people.approve(asked, ['web']);
  await world.people.reject(asked, ['app']);
  const { status } = await world.ended();
  expect(status).toBe('incomplete');
  expect(world.phases()).toEqual({ app: 'replicating', web: 'committed' });
  servesAsBefore(world, 'app-01', { web: 'running' });
});

test('who fails UAT is held where the group goes on without it, and tested anew at the next start', async () => {
  await open((posted) => {
    posted.onFailure = 'goOn';
    alone(posted);
  });
  world.people.atGate.cutover = 'approve';
  world.appliances.failsCheck = (_name, { data }) => 'workloadId' in data && data.workloadId === 'app';
  await world.start();
  const { status, groups } = await world.ended();
  expect([status, groups['shop']?.reason]).toEqual(['incomplete', expect.stringContaining('app held: its UAT')]);
  expect(world.phases()).toEqual({ app: 'replicating', web: 'committed' });
  world.appliances.failsCheck = () => false;
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  const uats = world.documents<GateDocument>('gate').filter(({ name }) => name === 'uat');
  expect(uats.map(({ workloadIds }) => workloadIds)).toEqual([['web'], ['app']]);
});

test('whose UAT is not signed off is not cut over', async () => {
  await open((posted) => {
    posted.gates = { uat: { partial: true } };
    alone(posted);
  });
  world.people.atGate.cutover = 'approve';
  delete world.people.atGate.uat;
  await world.start();
  await world.until(() => world.openGates().length > 0, 'the sign-off');
  const [asked] = world.openGates();
  await world.people.approve(asked as GateDocument, ['web']);
  await world.people.reject(asked as GateDocument, ['app']);
  expect((await world.ended()).status).toBe('incomplete');
  expect(world.phases()).toEqual({ app: 'replicating', web: 'committed' });
  servesAsBefore(world, 'app-01', { web: 'running' });
});

test('who is held in a group that goes on is neither rushed nor deferred, and the refusal names the way out', async () => {
  await open((posted) => {
    posted.gates = { uat: { partial: true } };
    alone(posted);
  });
  delete world.people.atGate.uat;
  await world.start();
  await world.until(() => world.openGates().length > 0, 'the sign-off');
  const [asked] = world.openGates();
  await world.people.approve(asked as GateDocument, ['web']);
  await world.people.reject(asked as GateDocument, ['app']);
  expect(await gate()).toMatchObject({ workloadIds: ['web'] });
  for (const action of ['rush', 'defer'] as const)
    await expect(world.people.turn(action, 'app')).rejects.toThrow(/^app is held: its UAT .*start it again/);
  await world.people.approve(await gate());
  expect((await world.ended()).status).toBe('incomplete');
  world.people.atGate.uat = 'approve';
  await world.start();
  expect(await gate()).toMatchObject({ workloadIds: ['app'] });
  await world.people.turn('rush', 'app');
  world.people.atGate.cutover = 'approve';
  for (const open of world.openGates()) await world.people.decide(open);
  expect((await world.ended()).status).toBe('committed');
});

test('who is deferred while the group rests before its cutover does not cut over when it goes on', async () => {
  await open((posted) => {
    posted.window = twoNights;
  });
  await world.start();
  const asked = await gate();
  await world.people.pause({ group: 'shop' });
  await world.people.approve(asked);
  await world.until(() => world.state('web').phase === 'paused', 'the group rests');
  await world.people.turn('defer', 'web');
  await world.people.resume({ group: 'shop' });
  await world.until(() => cutoverGate() !== undefined, 'another gate');
  expect(cutoverGate()).toMatchObject({ workloadIds: ['app'] });
  world.people.atGate.cutover = 'approve';
  await world.people.approve(await gate());
  expect((await world.ended()).status).toBe('committed');
  expect((await committedAt('web')) > '2026-12-06T21:00:00.000Z').toBe(true);
});

test('a group that rested before its cutover until its window had passed waits for the next one', async () => {
  await open((posted) => {
    posted.window = twoNights;
  });
  world.people.atGate.cutover = 'approve';
  world.script.once('openGate', () => world.people.pause({ group: 'shop' }), {
    matches: ({ name }) => name === 'cutover',
  });
  await world.start();
  await world.until(() => world.state('web').phase === 'paused', 'the group rests');
  await world.until(() => world.capabilities.now() > '2026-12-06T02:00:00.000Z', 'the window has passed');
  await world.people.resume({ group: 'shop' });
  expect((await world.ended()).status).toBe('committed');
  expect(await world.capabilities.store.attentions.list('w1')).toEqual([]);
  expect((await committedAt('web')) > '2026-12-06T21:00:00.000Z').toBe(true);
});

test('who waits for the window and is left behind by a rushed one goes on replicating meanwhile', async () => {
  world = await World.open({
    change: (posted) => {
      onlyShop(posted);
      alone(posted);
    },
    start: '2026-12-05T14:00:00.000Z',
  });
  world.keepTime();
  await world.start();
  await world.until(() => world.state('app').phase === 'cutoverQueued', 'all wait for the window');
  await world.people.turn('rush', 'web');
  await world.until(() => world.state('web').phase === 'sourceOff', 'web cuts over');
  expect(world.state('app').phase).toBe('replicating');
  expect((await world.ended()).status).toBe('committed');
});

test('what fails in the second batch is asked about although the same step was asked about in the first', async () => {
  await open((posted) => {
    alone(posted);
    posted.gates = { before: { postCutover: {} } };
  });
  world.people.atGate = { ...world.people.atGate, 'before:postCutover': 'approve' };
  await world.start();
  await gate();
  await world.people.turn('rush', 'web');
  for (const workloadId of ['web', 'app'])
    world.script.fail('createMachine', broken, {
      matches: (input) => input['purpose'] === 'cutover' && input['workloadId'] === workloadId,
    });
  await world.until(() => cutoverGate()?.workloadIds.length === 1, 'a gate for web alone');
  world.people.atGate = { ...world.people.atGate, cutover: 'approve' };
  await world.people.approve(await gate());
  for (const workloadIds of [['web'], ['app']]) {
    await world.question();
    expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', workloadIds }]);
    await world.people.answer('retry');
    await world.until(() => world.openQuestions().length === 0, 'it is answered');
  }
  expect((await world.ended()).status).toBe('committed');
  const before = world.documents<GateDocument>('gate').filter(({ name }) => name === 'before:postCutover');
  expect(before.map(({ workloadIds }) => workloadIds)).toEqual([['web'], ['app']]);
});
