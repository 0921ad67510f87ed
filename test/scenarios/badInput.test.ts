// What appliances should not say, on the real bus: kept with its reason for people to read, while what stands beside it
// in the same batch is applied, once. What each refusal is for is proven beside the trigger.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { Api } from '../../examples/harness/api.ts';
import { LocalCloud } from '../../examples/harness/cloud.ts';
import { plan } from '../../examples/harness/definitions.ts';
import { Person } from '../../examples/harness/people.ts';
import { PlayedAppliance } from './appliances.ts';
import { foldOf, historyOf } from './history.ts';
import { until } from './until.ts';
import { definitionsFor, newPlace, smaller } from './world.ts';

const servers = ['db-01', 'web-01', 'jobs-01'].map((id) => ({ id, service: id, diskMiB: 48, dataMiB: 8 }));
const waveId = 'rumours';
const subject = `${waveId}/db01`;

const Quarantine = z.object({
  quarantine: z.array(z.object({ id: z.string(), code: z.string(), source: z.string(), reason: z.string() })),
});

const place = newPlace();
let cloud: LocalCloud;
let ada: Api;
let agent: PlayedAppliance;
let stranger: PlayedAppliance;

const quarantine = async () => Quarantine.parse(await ada.quarantine()).quarantine;
const idsInHistory = async () => (await historyOf(ada, waveId, 'db01')).events.map(({ id }) => id);
const stopped = (state: 'stopped' | 'running') => ({ services: [{ name: 'ledger', state, detail: '' }] });

beforeAll(async () => {
  cloud = new LocalCloud(place.folder);
  await cloud.start();
  const person = new Person('ada', () => cloud.endpoints['identity.issuer']);
  ada = new Api(() => cloud.endpoints['host.endpoint'], person);
  const elsewhere = { node: 'node', 'lab.endpoint': 'http://127.0.0.1:1', 'lab.dir': '/lab', 'lab.tools': '/lab' };
  const { environment } = await plan(
    ada,
    smaller(definitionsFor(elsewhere), servers, (wave) => ({ ...wave, id: waveId })),
  );
  agent = await PlayedAppliance.enrol(cloud, place.folder, 'agent-db-01', environment.id);
  stranger = await PlayedAppliance.enrol(cloud, place.folder, 'agent-web-01', environment.id);
}, 60_000);

afterAll(() => place.clear(), 30_000);

it('one batch full of lies: each is quarantined with its reason, the truth beside them is applied in order', async () => {
  const first = agent.event('landfall.services.stopped', subject, stopped('running'));
  const second = agent.event('landfall.services.stopped', subject, stopped('stopped'));
  await agent.send(subject, [
    await agent.sign(first),
    await stranger.sign(agent.event('landfall.services.stopped', subject, stopped('running')), agent.id),
    await agent.sign(agent.event('landfall.coffee.ready', subject, {})),
    await stranger.sign(stranger.event('landfall.services.stopped', subject, stopped('running'))),
    'this is no signed event',
    await agent.sign(agent.event('landfall.services.stopped', subject, { services: 'all of them' })),
    await agent.sign(agent.event('landfall.services.stopped', subject, stopped('running')), 'agent-nobody'),
    await agent.sign(agent.event('landfall.services.stopped', `${waveId}/nothing`, stopped('running'))),
    await agent.sign(second),
  ]);

  const kept = await until('the quarantine', quarantine, (documents) => documents.length >= 7);
  expect(kept.map(({ code, source }) => `${code} ${source}`).sort()).toEqual([
    'badSignature agent-db-01',
    'brokenBody agent-db-01',
    'brokenBody unknown',
    'foreignSender agent-web-01',
    'unknownSender agent-nobody',
    'unknownType agent-db-01',
    'unknownWorkload agent-db-01',
  ]);
  await until('the last event', idsInHistory, (ids) => ids.includes(second.id));

  const history = await historyOf(ada, waveId, 'db01');
  expect(history.events.map(({ id }) => id)).toEqual(['registered', first.id, second.id]);
  expect(history.state).toMatchObject({ phase: 'registered', services: [{ name: 'ledger', state: 'stopped' }] });
  expect(foldOf(history)).toEqual(history.state);
});

it('what is kept can be read whole, with the reason', async () => {
  const forged = (await quarantine()).find(({ code }) => code === 'badSignature');
  const whole = await ada.request('GET', `quarantine/${forged?.id ?? ''}`);
  expect(whole).toMatchObject({
    code: 'badSignature',
    reason: expect.stringContaining('signature'),
    sessionId: subject,
    body: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  });
});

it('an event that comes again in other messages, and one that comes late, are applied once, without complaint', async () => {
  const before = (await quarantine()).length;
  const late = agent.event('landfall.services.started', subject, stopped('running'));
  const early = agent.event('landfall.services.stopped', subject, stopped('stopped'));
  const [signedLate, signedEarly] = [await agent.sign(late), await agent.sign(early)];
  await agent.send(subject, [signedEarly, signedEarly]);
  await agent.send(subject, [signedEarly, signedLate]);
  const after = agent.event('landfall.services.started', subject, stopped('running'));
  await agent.send(subject, [signedLate, signedEarly, await agent.sign(after)]);

  await until('the last event', idsInHistory, (ids) => ids.includes(after.id));
  const history = await historyOf(ada, waveId, 'db01');
  expect(history.events.map(({ id }) => id).slice(3)).toEqual([early.id, late.id, after.id]);
  expect(history.events.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(foldOf(history)).toEqual(history.state);
  expect(history.state.heard[agent.id]?.sequence).toBe(after.sequence);
  expect(await quarantine()).toHaveLength(before);
});
