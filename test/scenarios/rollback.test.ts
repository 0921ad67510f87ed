// Two rollbacks before traffic moves, side by side in one environment: one before step 11 has done anything that shows,
// one after its first action. Both lead back to sources that serve and replicate.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordsOf, resolveAll } from '../../examples/first-wave/summary.ts';
import type { WorkloadView } from '../../examples/harness/api.ts';
import { Approver } from '../../examples/harness/approver.ts';
import { labTools } from '../../examples/harness/lab.ts';
import { Stage } from '../../examples/harness/stage.ts';
import { type Snapshot, watchWave } from '../../examples/harness/watch.ts';
import type { WavePlan } from '../../shared/model/plan.ts';
import type { WaveDefinition, WorkloadDefinition } from '../../shared/model/wave.ts';
import { changedTwice, foldOf, type History, historyOf, phasesOf } from './history.ts';
import { Target } from './target.ts';
import { until } from './until.ts';
import { complainOfAttention, newPlace, planWave } from './world.ts';

const servers = [
  { id: 'db-01', service: 'ledger', diskMiB: 48, dataMiB: 8 },
  { id: 'web-01', service: 'portal', diskMiB: 48, dataMiB: 8 },
];
const early = { waveId: 'back-early', workloadId: 'db01', source: 'db-01', service: 'ledger' };
const late = { waveId: 'back-late', workloadId: 'web01', source: 'web-01', service: 'portal' };
type Case = typeof early;

interface Outcome {
  status: string;
  /** Security groups that the target stood behind, as far as anybody saw. */
  seenBehind: Set<string>;
  phaseWhenAsked: string;
  dnsBefore: Map<string, string[]>;
  dnsAfter: Map<string, string[]>;
  left: string[];
  history: History;
}

const place = newPlace();
let stage: Stage;
const outcomes = new Map<Case, Outcome>();

/** A wave of one workload, taken out of its group, with so many harmless actions between the first and the traffic. */
function only({ waveId, workloadId }: Case, harmless: number): (wave: WaveDefinition) => WaveDefinition {
  const cut = (workload: WorkloadDefinition): WorkloadDefinition => {
    const [first, ...others] = workload.settings?.cutover?.actions ?? [];
    const between = Array.from({ length: harmless }, (_, index) => ({
      kind: 'tags' as const,
      name: `label ${index}`,
      tags: { label: `${index}` },
    }));
    const actions = [...(first === undefined ? [] : [first]), ...between, ...others];
    return { ...workload, dependsOn: [], settings: { ...workload.settings, cutover: { actions } } };
  };
  return (wave) => ({
    ...wave,
    id: waveId,
    groups: wave.groups.flatMap((group) => {
      const workloads = group.workloads.filter(({ id }) => id === workloadId).map(cut);
      return workloads.length === 0 ? [] : [{ ...group, dependsOn: [], workloads }];
    }),
  });
}

const workloadIn = ({ wave }: Snapshot, { workloadId }: Case): WorkloadView | undefined =>
  wave.groups
    .flatMap(({ workloads }) => workloads)
    .find((one): one is WorkloadView => 'phase' in one && one.workloadId === workloadId);

/** Runs a wave until it is time, asks for the rollback, and waits until the workload replicates as before. */
async function rollBack(
  which: Case,
  planned: WavePlan,
  isTime: (phase: string, behind: string | undefined) => boolean,
): Promise<Outcome> {
  const { waveId, workloadId, source } = which;
  const api = stage.asAda;
  const azure = stage.azure(planned.environment);
  const target = new Target(stage, planned.environment);
  const dnsBefore = await resolveAll(azure, recordsOf(planned));
  await api.startWave(waveId);

  const approver = new Approver(stage.asGrace, 0);
  const complain = complainOfAttention(stage);
  const seenBehind = new Set<string>();
  let phaseWhenAsked = '';
  const last = await watchWave(api, waveId, {
    everyMs: 100,
    withinMs: 150_000,
    enough: complain,
    async seen(snapshot) {
      await approver.see(snapshot);
      const behind = await target.securityGroupOf(source);
      if (behind !== undefined) seenBehind.add(behind);
      const phase = workloadIn(snapshot, which)?.phase ?? '';
      if (phaseWhenAsked !== '' || !isTime(phase, behind)) return;
      await api.rollback(waveId, { reason: 'the people on the phone have changed their mind' });
      phaseWhenAsked = phase;
    },
  });
  const left = await target.madeFor(waveId);
  const dnsAfter = await resolveAll(azure, recordsOf(planned));
  const { deltas } = (await api.workload(waveId, workloadId)).state.totals;
  await until(
    `another delta of ${workloadId}`,
    async () => (await api.workload(waveId, workloadId)).state,
    ({ totals }) => totals.deltas > deltas,
  );
  const history = await historyOf(api, waveId, workloadId);
  return { status: last.wave.status, seenBehind, phaseWhenAsked, dnsBefore, dnsAfter, left, history };
}

/** Whether something answers on a port of this machine. */
async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

beforeAll(async () => {
  stage = await Stage.set(place.folder, servers);
  const first = await planWave(stage, servers, only(early, 0));
  const second = await planWave(stage, servers, only(late, 12));
  const [one, other] = await Promise.allSettled([
    rollBack(early, first, (phase) => phase === 'sourceOff' || phase === 'launching'),
    rollBack(late, second, (_phase, behind) => behind === 'production'),
  ]);
  if (one.status === 'rejected') throw one.reason;
  if (other.status === 'rejected') throw other.reason;
  outcomes.set(early, one.value).set(late, other.value);
}, 300_000);

afterAll(() => place.clear(), 60_000);

function outcomeOf(which: Case): Outcome {
  const outcome = outcomes.get(which);
  if (outcome === undefined) throw new Error(`${which.waveId} was not run`);
  return outcome;
}

it('the one was asked for after step 10 and before any action of step 11', () => {
  const { phaseWhenAsked, seenBehind, history } = outcomeOf(early);
  expect(['sourceOff', 'launching']).toContain(phaseWhenAsked);
  expect(seenBehind).not.toContain('production');
  expect(phasesOf(history)).toContain('sourceOff');
});

it('the other was asked for after the first action of step 11 and before the traffic', () => {
  const { phaseWhenAsked, seenBehind } = outcomeOf(late);
  expect(phaseWhenAsked).toBe('launching');
  expect(seenBehind).toContain('production');
});

describe.each([early, late])('after the rollback of $waveId', (which) => {
  it('the source is on, on the network, and its service runs and answers', async () => {
    const { lab } = stage;
    expect(await lab.inspect(which.source)).toMatchObject({ power: 'on', nicConnected: true });
    const ask = [join(labTools, 'servicectl.ts'), lab.machineDirOf(which.source), 'status', which.service];
    const { stdout } = await promisify(execFile)(process.execPath, ask);
    expect(stdout.trim()).toBe('running');
    const mode = await promisify(execFile)(process.execPath, ask.with(2, 'mode'));
    expect(mode.stdout.trim()).toBe('automatic');
    await expect(connects(lab.ports[which.source] ?? 0)).resolves.toBe(true);
  });

  it('DNS answers as before', () => {
    const { dnsBefore, dnsAfter } = outcomeOf(which);
    expect(dnsBefore.size).toBe(1);
    expect([...dnsAfter]).toEqual([...dnsBefore]);
    expect([...dnsAfter.values()].flat()).not.toEqual([]);
  });

  it('nothing that was made for the workload is left: no clone, no target, no disk, no network interface', () => {
    expect(outcomeOf(which).left).toEqual([]);
  });

  it('the workload replicates again, and a further delta has completed', () => {
    const { status, history } = outcomeOf(which);
    expect(status).toBe('rolledBack');
    expect(phasesOf(history).slice(-2)).toEqual(['rollingBack', 'replicating']);
    expect(phasesOf(history)).not.toContain('trafficMoved');
    const { state, events } = history;
    expect(state.phase).toBe('replicating');
    const back = events.findLast(({ type }) => type === 'landfall.workload.phaseEntered')?.time ?? '';
    const last = state.points.at(-1);
    expect(last?.kind).toBe('delta');
    expect((last?.completedAt ?? '') > back).toBe(true);
  });

  it('every step from 8 on is undone, the outage has ended, and no question is open', () => {
    const { steps, downtime, attention } = outcomeOf(which).history.state;
    const begun = ['uat', 'stopServices', 'finalDelta', 'postCutover'].filter((name) => name in steps);
    expect(begun).toEqual(expect.arrayContaining(['uat', 'stopServices', 'finalDelta']));
    expect(begun.map((name) => steps[name]?.status)).toEqual(begun.map(() => 'undone'));
    expect(downtime?.ended).toBeDefined();
    expect(attention).toBeUndefined();
  });

  it('its events read back in order, each once, and their fold is its state', () => {
    const { history } = outcomeOf(which);
    const { events, state } = history;
    expect(events.map(({ version }) => version)).toEqual(
      Array.from({ length: state.version }, (_, index) => index + 1),
    );
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(foldOf(history)).toEqual(state);
    expect(changedTwice(history)).toEqual([]);
  });
});
