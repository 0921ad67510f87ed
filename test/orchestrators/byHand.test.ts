// Sources and sites that no host can be asked about: people do what a host would, and confirm it at gates.
import { afterEach, expect, test } from 'vitest';
import { ada, carl } from '../../rehearsal/world/persons.ts';
import type { Act } from '../../shared/model/byHand.ts';
import type { EventDocument, GateDocument } from '../../shared/store/documents.ts';
import { environment, onlyDb, onlyShop, sources } from './world/definitions.ts';
import { nothingLeft, servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const byHand = { kind: 'byHand' as const, ports: [22] };
const open = (change = onlyDb, options: Parameters<typeof World.open>[0] = {}): Promise<World> =>
  World.open({ change, sources: sources.map((source) => ({ ...source, host: byHand })), ...options });
const hands = (): string[] =>
  world.documents<GateDocument>('gate').flatMap(({ name }) => (name.startsWith('byHand:') ? [name] : []));
const gateOf = (act: Act) => world.openGates().find(({ name }) => name === `byHand:${act}`);
const ofHands = () =>
  world
    .documents<EventDocument>('event')
    .flatMap(({ event }) => (event.type.startsWith('landfall.byHand.') ? [event] : []));
const confirmed = (): unknown[] =>
  ofHands().flatMap(({ type, data }) => (type === 'landfall.byHand.confirmed' ? [data] : []));

test('a wave asks people to start the agent, to switch the source off and to take it off the network, and says who confirmed it', async () => {
  world = await open();
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'committed' });
  expect(hands()).toEqual(['byHand:installAgent', 'byHand:powerOff', 'byHand:disconnect']);
  expect(confirmed()).toMatchObject([
    { act: 'installAgent', by: [{ by: 'carl' }] },
    { act: 'powerOff', by: [{ by: 'carl' }] },
    { act: 'disconnect', by: [{ by: 'carl' }] },
  ]);
  expect(ofHands().findLast(({ type }) => type === 'landfall.byHand.seen')).toMatchObject({
    type: 'landfall.byHand.seen',
    data: {
      act: 'powerOff',
      seen: [
        { name: 'agent', fits: true },
        { name: 'port 22', fits: true },
      ],
    },
  });
  expect(world.state('db').told).toMatchObject({ power: 'off', network: 'disconnected' });
  expect(world.state('db').steps['finalDelta']?.checked?.after).toMatchObject({ power: 'off', nicConnected: false });
  expect(world.hosts.machine('db-01')).toMatchObject({ power: 'off', nicConnected: false });
});

test('a rollback asks people to connect the source and to power it on before its services start', async () => {
  world = await open();
  world.script.once('recordStep', () => world.people.rollBack('withdrawn'), {
    matches: ({ what }) =>
      (what as { type: string; data: { step?: string } }).type === 'landfall.step.completed' &&
      (what as { data: { step?: string } }).data.step === 'finalDelta',
  });
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'rolledBack' });
  expect(hands().slice(1)).toEqual([
    'byHand:powerOff',
    'byHand:disconnect',
    'byHand:connect',
    'byHand:powerOn',
    'byHand:removeAgent',
  ]);
  expect(world.state('db').told).toMatchObject({ power: 'on', network: 'connected' });
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  await nothingLeft(world);
});

test('what was undone by hand is not known any more: the next cutover asks people to switch the source off once more', async () => {
  world = await open();
  world.keepTime(20_000);
  world.people.atGate['byHand:connect'] = 'reject';
  world.script.once('recordStep', () => world.people.rollBack(), {
    matches: ({ what }) =>
      (what as { type: string; data: { step?: string } }).type === 'landfall.step.completed' &&
      (what as { data: { step?: string } }).data.step === 'finalDelta',
  });
  await world.start();
  await world.question();
  await world.hosts.machineHost('db-01').setNic(true);
  await world.hosts.machineHost('db-01').powerOn();
  await world.people.answer('doneByHand');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.state('db').told).toMatchObject({ power: 'unknown', network: 'unknown' });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(hands().slice(-2)).toEqual(['byHand:powerOff', 'byHand:disconnect']);
  expect(world.hosts.machine('db-01')).toMatchObject({ power: 'off', nicConnected: false });
});

test('who was asked to switch off and never said whether it is done is asked to power on', async () => {
  world = await open();
  delete world.people.atGate['byHand:powerOff'];
  world.handiwork.isEager = (act) => act === 'powerOff';
  await world.start();
  await world.until(() => gateOf('powerOff') !== undefined, 'the question');
  await world.people.rollBack();
  await world.until(() => world.hasEnded(), 'the end');
  expect(hands()).toEqual(['byHand:installAgent', 'byHand:powerOff', 'byHand:powerOn']);
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('who was never asked to switch anything off is not asked to switch it on', async () => {
  world = await open();
  world.appliances.failsSync = (kind) => kind === 'final';
  await world.start();
  await world.question();
  await world.people.answer('rollback');
  await world.until(() => world.hasEnded(), 'the end');
  expect(hands()).toEqual(['byHand:installAgent']);
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('a confirmation that its agent contradicts is not believed: people are asked again', async () => {
  world = await open();
  let forgets = true;
  world.handiwork.isForgotten = (act) => forgets && act === 'powerOff';
  world.keepTime(20_000);
  await world.start();
  await world.question();
  const [question] = world.openQuestions();
  expect(question).toMatchObject({ step: 'finalDelta', failure: { code: 'shutdownRefused' } });
  expect(question?.failure.message).toMatch(/agent \(last heard at/);
  expect(world.hosts.machine('db-01').power).toBe('on');
  forgets = false;
  await world.people.answer('retry');
  expect(await world.ended()).toMatchObject({ status: 'committed' });
  expect(world.hosts.machine('db-01')).toMatchObject({ power: 'off', nicConnected: false });
});

test('a source that people cannot switch off raises attention with what they said', async () => {
  world = await open();
  world.people.atGate['byHand:powerOff'] = 'reject';
  await world.start();
  await world.question();
  const [question] = world.openQuestions();
  expect(question).toMatchObject({ step: 'finalDelta', failure: { code: 'gateRejected', detail: 'carl: no' } });
  world.people.atGate['byHand:powerOff'] = 'approve';
  await world.people.answer('retry');
  expect(await world.ended()).toMatchObject({ status: 'committed' });
});

test('whoever started the wave does not confirm what was done by hand', async () => {
  world = await open();
  delete world.people.atGate['byHand:powerOff'];
  await world.start();
  await world.until(() => gateOf('powerOff') !== undefined, 'the question');
  const gate = gateOf('powerOff');
  const params = { id: gate?.waveId ?? '', gateId: gate?.id ?? '' };
  expect(await world.people.try('gatesApprove', params, {}, ada)).toBe(false);
  await world.people.approve(gate!);
  expect(await world.ended()).toMatchObject({ status: 'committed' });
});

test('a site without a host has its worker started and removed by people, and its agentless sources switched by them', async () => {
  const host = { kind: 'byHand' as const };
  world = await open(onlyShop, { sites: environment.sites.map(({ id }) => ({ id, host })) });
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'committed' });
  expect(hands()[0]).toBe('byHand:startWorker');
  expect(hands().at(-1)).toBe('byHand:removeWorker');
  expect(hands().toSorted()).toEqual([
    'byHand:disconnect',
    'byHand:disconnect',
    'byHand:installAgent',
    'byHand:powerOff',
    'byHand:powerOff',
    'byHand:removeWorker',
    'byHand:startWorker',
  ]);
  expect(world.changes).toContain('deploy worker-cellar');
  expect([...world.hosts.workers]).toEqual([]);
});

test('a token for an appliance that people start is given to operators, once it is wanted and until it has come', async () => {
  world = await open();
  delete world.people.atGate['byHand:installAgent'];
  const fetched = () => world.people.try('appliancesBootstrap', { id: 'agent-db-01' }, {}, carl);
  await world.start();
  await world.until(() => gateOf('installAgent') !== undefined, 'the question');
  const [{ question } = { question: '' }] = world.openGates();
  expect(question).toMatch(/POST \/api\/appliances\/agent-db-01\/bootstrap/);
  expect(await fetched()).toBe(true);
  expect(await world.capabilities.store.appliances.get('agent-db-01')).toMatchObject({ tokenFor: 'carl' });
  expect(await world.people.try('appliancesBootstrap', { id: 'target-west' }, {}, carl)).toBe(false);
  await world.people.approve(gateOf('installAgent')!);
  await world.until(() => world.state('db').phase === 'replicating', 'the initial sync');
  expect(await fetched()).toBe(false);
  expect(await world.ended()).toMatchObject({ status: 'committed' });
});

test('who does not confirm before the latest safe start is not waited for', async () => {
  world = await open();
  delete world.people.atGate['byHand:powerOff'];
  world.keepTime(600_000);
  await world.start();
  await world.question();
  const [question] = world.openQuestions();
  expect(question).toMatchObject({ step: 'finalDelta', failure: { code: 'gateRejected' } });
  expect(question?.failure.message).toMatch(/expired/);
  await world.people.answer('rollback');
  await world.ended();
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('a host that does not reach into the guest does power and network itself, and people start the agent', async () => {
  const host = { kind: 'qemu' as const, connection: 'cellar', machine: 'db-01' };
  world = await World.open({ change: onlyDb, sources: sources.map((source) => ({ ...source, host })) });
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'committed' });
  expect(hands()).toEqual(['byHand:installAgent']);
  expect(world.hosts.machine('db-01')).toMatchObject({ power: 'off', nicConnected: false });
});
