// Whatever is killed comes back where it was: the local Azure with the app in it, and an appliance in mid-copy.
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareDisks } from '../../examples/first-wave/summary.ts';
import { Approver } from '../../examples/harness/approver.ts';
import { appliancesOf } from '../../examples/harness/processes.ts';
import { Stage } from '../../examples/harness/stage.ts';
import { type Snapshot, watchWave } from '../../examples/harness/watch.ts';
import type { WavePlan } from '../../shared/model/plan.ts';
import { changedTwice, foldOf, type History, historyOf, phasesOf } from './history.ts';
import { until } from './until.ts';
import { complainOfAttention, newPlace, planWave } from './world.ts';

// The database's disk is large enough that its copy is caught in the middle.
const servers = [
  { id: 'db-01', service: 'ledger', diskMiB: 144, dataMiB: 96 },
  { id: 'web-01', service: 'portal', diskMiB: 48, dataMiB: 8 },
  { id: 'jobs-01', service: 'scheduler', diskMiB: 48, dataMiB: 8 },
];
const workloadIds = ['db01', 'jobs01', 'web01'];

const place = newPlace();
let stage: Stage;
let planned: WavePlan;
let last: Snapshot;
const histories = new Map<string, History>();
const kills = { appliance: '', inInitialSync: '', whilePaused: '', inStep11: '' };
const pause = { given: '', resumed: '' };

const stateOf = async (workloadId: string) => (await stage.asAda.workload(planned.waveId, workloadId)).state;
const groupOf = (workloadId: string) => planned.groups.find(({ tiers }) => tiers.flat().includes(workloadId))?.id;
const now = () => new Date().toISOString();

/** The platform's own clock is this machine's, so that times may be compared. */
async function killCloud(): Promise<string> {
  await stage.cloud.kill();
  return now();
}

async function killApplianceInMidCopy(workloadId: string, source: string): Promise<void> {
  await until(
    `the initial sync of ${workloadId}`,
    () => stateOf(workloadId),
    ({ sync }) => sync.kind === 'initial' && sync.startedAt !== undefined,
    { everyMs: 20 },
  );
  const [agent] = appliancesOf(stage.folder).filter(({ name }) => name.includes(`/${source}/`));
  if (agent === undefined) throw new Error(`no agent runs on ${source}`);
  process.kill(agent.pid, 'SIGKILL');
  kills.appliance = now();
}

/** An operator pauses the database's group; while it rests the platform is killed, and is at work again for the others. */
async function killWhilePaused(): Promise<void> {
  const path = `waves/${planned.waveId}`;
  const group = groupOf('db01');
  pause.given = now();
  await stage.asAda.request('POST', `${path}/pause`, { group, reason: 'the night shift changes' });
  await until(
    'a rest of db01',
    () => stateOf('db01'),
    ({ phase }) => phase === 'paused',
  );
  kills.whilePaused = await killCloud();
  await stage.cloud.start();
  const { version } = await stateOf('web01');
  await until(
    'an event of web01',
    () => stateOf('web01'),
    (state) => state.version > version,
  );
  const { groups } = await stage.asAda.wave(planned.waveId);
  expect(groups.find(({ id }) => id === group)?.pause).toMatchObject({ reason: 'the night shift changes' });
  expect((await stateOf('db01')).phase).toBe('paused');
  pause.resumed = now();
  await stage.asAda.request('POST', `${path}/resume`, { group, reason: 'the night shift has come' });
}

beforeAll(async () => {
  stage = await Stage.set(place.folder, servers);
  planned = await planWave(stage, servers, (wave) => ({
    ...wave,
    id: 'crashes',
    decommission: { after: 'PT1S' },
    settings: { sync: { cadence: 'PT5S' } },
  }));
  await stage.asAda.startWave(planned.waveId);

  await killApplianceInMidCopy('db01', 'db-01');
  // Its supervisor takes a second to start it again: its copy can't have ended.
  kills.inInitialSync = await killCloud();
  await stage.cloud.start();
  await killWhilePaused();

  const approver = new Approver(stage.asGrace, 0);
  // What becomes of the points is decided in a test of its own.
  const seen = ({ wave, ...snapshot }: Snapshot) =>
    approver.see({ ...snapshot, wave: { ...wave, gates: wave.gates.filter(({ name }) => name !== 'decommission') } });
  const complain = complainOfAttention(stage);
  const watching = { everyMs: 100, withinMs: 200_000, seen };
  const inStep11 = ({ wave }: Snapshot): boolean =>
    wave.groups.some(({ workloads }) => workloads.some((one) => 'phase' in one && one.phase === 'launching'));
  await watchWave(stage.asAda, planned.waveId, {
    ...watching,
    enough: (snapshot) => complain(snapshot) || inStep11(snapshot),
  });
  kills.inStep11 = await killCloud();
  await stage.cloud.start();

  last = await watchWave(stage.asAda, planned.waveId, { ...watching, enough: complain });
  for (const id of workloadIds) histories.set(id, await historyOf(stage.asAda, planned.waveId, id));
}, 400_000);

afterAll(() => place.clear(), 60_000);

const historyFor = (workloadId: string): History => {
  const history = histories.get(workloadId);
  if (history === undefined) throw new Error(`${workloadId} was not read`);
  return history;
};
const timesOf = (workloadId: string, type: string, fits: (data: Record<string, unknown>) => boolean): string[] =>
  historyFor(workloadId).events.flatMap((event) => (event.type === type && fits(event.data) ? [event.time] : []));

it('an appliance was killed in mid-copy, and its sync went on from where it was', () => {
  const [started = ''] = timesOf('db01', 'landfall.sync.started', ({ kind }) => kind === 'initial');
  const [completed = ''] = timesOf('db01', 'landfall.sync.completed', (data) => data['kind'] === 'initial');
  expect(started < kills.appliance && kills.appliance < completed).toBe(true);
  expect(timesOf('db01', 'landfall.sync.completed', (data) => data['resumed'] === true)).toContain(completed);
});

it('the platform was killed during the initial sync and during step 11', () => {
  const [completed = ''] = timesOf('db01', 'landfall.sync.completed', ({ kind }) => kind === 'initial');
  expect(kills.inInitialSync < completed).toBe(true);
  const [began = ''] = timesOf('db01', 'landfall.step.started', ({ step }) => step === 'postCutover');
  const [ended = ''] = timesOf('db01', 'landfall.step.completed', ({ step }) => step === 'postCutover');
  expect(began < kills.inStep11 && kills.inStep11 < ended).toBe(true);
});

it('a pause stood while the platform was killed: nothing of it went on before somebody resumed', () => {
  const { events } = historyFor('db01');
  const paused = events.findIndex(({ type }) => type === 'landfall.workload.paused');
  const resumed = events.findIndex(({ type }) => type === 'landfall.workload.resumed');
  const [from, to] = [events[paused]?.time ?? '', events[resumed]?.time ?? ''];
  const order = [pause.given, from, kills.whilePaused, pause.resumed, to];
  expect(order).toEqual(order.toSorted());
  const between = events.slice(paused + 1, resumed).map(({ type }) => type);
  expect(between.filter((type) => !type.startsWith('landfall.sync.'))).toEqual([]);
});

it('the wave commits', () => {
  expect(last.wave.status).toBe('committed');
  expect(last.wave.groups.map(({ status }) => status)).toEqual(['committed', 'committed']);
});

it('source and target disks are equal to the byte', async () => {
  const azure = stage.azure(planned.environment);
  for (const workload of planned.workloads) {
    const compared = await compareDisks(azure, workload);
    expect(compared.map(({ equal }) => equal)).toEqual([true]);
  }
}, 60_000);

it.each(workloadIds)('the events of %s read back in order, each once, and their fold is its state', (workloadId) => {
  const history = historyFor(workloadId);
  const { events, state } = history;
  expect(events.map(({ version }) => version)).toEqual(Array.from({ length: state.version }, (_, index) => index + 1));
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  expect(foldOf(history)).toEqual(state);
});

it.each(workloadIds)('%s went through its phases once, in order', (workloadId) => {
  expect(phasesOf(historyFor(workloadId))).toEqual([
    'preparing',
    'replicating',
    'testing',
    'tested',
    'cutoverQueued',
    'stoppingServices',
    'finalSync',
    'sourceOff',
    'launching',
    'trafficMoved',
    'validating',
    'committed',
  ]);
});

it.each(workloadIds)('no operation changed the state of %s twice', (workloadId) => {
  expect(changedTwice(historyFor(workloadId))).toEqual([]);
});

it('staged points go once people have been asked and approve, and the targets stay', async () => {
  const { waveId, environment, workloads } = planned;
  const account = environment.staging.accountId.split('/').at(-1) ?? '';
  const address = `${stage.cloud.endpoints['storage.endpoint']}/${account}`;
  const staged = new BlobServiceClient(address, stage.ada).getContainerClient(environment.staging.container);
  const left = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of staged.listBlobsFlat({ prefix: `${waveId}/` })) names.push(name);
    return names;
  };
  expect((await left()).length).toBeGreaterThanOrEqual(workloads.length);
  const asked = await until(
    'the question about the points of every group',
    () => stage.asAda.gates(waveId),
    (gates) => gates.filter(({ name, status }) => name === 'decommission' && status === 'open').length === 2,
  );
  for (const { id, name } of asked)
    if (name === 'decommission') await stage.asGrace.approve(waveId, id, 'nobody asks for it');
  const { decommission } = await until(
    'the end of the points',
    () => stage.asAda.wave(waveId),
    (wave) => wave.decommission.staged.workloads === 0,
  );
  expect(decommission.removable).toBe(workloads.length);
  expect(await left()).toEqual([]);
  const azure = stage.azure(environment);
  for (const workload of workloads)
    expect((await compareDisks(azure, workload)).map(({ equal }) => equal)).toEqual([true]);
}, 120_000);
