// Everything that a live view of a wave needs, in one answer.
import { allSteps } from '../../orchestrators/itinerary.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import { deltaPhases } from '../../shared/lifecycle/phases.ts';
import type { Opening } from '../../shared/model/window.ts';
import { pauseOf } from '../../shared/policy/addressees.ts';
import { nextDeltaAt } from '../../shared/policy/cadence.ts';
import { lagMs } from '../../shared/policy/lag.ts';
import { together, wayBackOf } from '../../shared/policy/wayBack.ts';
import type { WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import { judgeQueue } from '../../shared/sync/queue.ts';
import { versionOf } from '../../shared/versions/version.ts';
import { fitSummary, fitsOf } from './fitView.ts';
import { pathLeft } from './pathView.ts';

export async function waveView(capabilities: Pick<Capabilities, 'store' | 'config' | 'now'>, wave: WaveDocument) {
  const { store } = capabilities;
  const now = capabilities.now();
  const { waveId, plan } = wave;
  const [workloads, gates, attentions, orders] = await Promise.all([
    store.workloads.list(waveId),
    store.gates.list(waveId),
    store.attentions.list(waveId),
    store.controls.list(waveId),
  ]);
  const fits = fitsOf(wave, workloads, now);
  const pauseFor = (instanceId: string, workloadId?: string) => {
    const { by, reason, deltas, at } = pauseOf(orders, wave.startedAt ?? '', instanceId, workloadId) ?? {};
    return by && { by, reason, deltas, at };
  };
  const queue = workloads.some(({ state }) => state.sync.status === 'queued')
    ? await judgeQueue(capabilities)
    : undefined;
  const waits = new Map(
    queue?.waiting.map(({ sync: { workload }, position, reason }) => [
      `${workload.waveId}/${workload.workloadId}`,
      { position, reason },
    ]),
  );
  const byId = new Map(workloads.map((workload) => [workload.workloadId, workload]));
  const { definition, status, reason, createdBy, createdAt, startedBy, startedAt, endedAt, attempt } = wave;
  return {
    waveId,
    name: definition.name,
    environment: plan.environment.id,
    status,
    reason,
    createdBy,
    createdAt,
    startedBy,
    startedAt,
    endedAt,
    attempt,
    codeVersion: wave.codeVersion,
    pause: pauseFor(`wave-${waveId}`),
    windows: plan.windows,
    zone: plan.zone,
    blackouts: plan.blackouts,
    onOverrun: plan.onOverrun,
    planHash: plan.hash,
    ...versionOf(wave),
    moving: wave.moving,
    definition,
    steps: wave.steps ?? {},
    criticalPath: pathLeft(wave, workloads, now),
    groups: plan.groups.map((group) => {
      const fit = fits.get(group.id);
      return {
        ...group,
        ...wave.groups[group.id],
        fit: fit && fitSummary(fit),
        pause: pauseFor(`group-${waveId}.${group.id}-${attempt}`),
        wayBack: together(
          group.tiers.flat().flatMap((id) => {
            const workload = byId.get(id);
            return workload === undefined ? [] : [wayBackOf(workload.state, allSteps)];
          }),
        ),
        workloads: group.tiers.flat().map((id) => {
          const workload = byId.get(id);
          const pause = pauseFor(`cutover-${waveId}.${id}-${attempt}`, id);
          return workload === undefined
            ? { workloadId: id }
            : { ...workloadSummary(workload, now, plan.windows), queue: waits.get(`${waveId}/${id}`), pause };
        }),
      };
    }),
    unheeded: (wave.unheeded ?? []).filter((order) => order.attempt === attempt),
    gates: gates.filter((gate) => gate.status === 'open'),
    attentions: attentions.filter((attention) => attention.status === 'open'),
  };
}

/** A workload without its evidence: where it stands, what each step came to, what its sync does. */
function workloadSummary(workload: WorkloadDocument, now: string, windows: readonly Opening[]) {
  const { workloadId, plan, state } = workload;
  const {
    phase,
    remembered,
    version,
    updatedAt,
    sync,
    behind,
    points,
    totals,
    services,
    attention,
    waiting,
    validation,
    isolation,
    downtime,
    paused,
    left,
    held,
  } = state;
  const { proof } = isolation ?? {};
  const last = points.at(-1);
  return {
    workloadId,
    groupId: plan.groupId,
    source: plan.source.id,
    method: plan.method,
    applianceId: plan.applianceId,
    target: plan.target,
    phase,
    remembered,
    version,
    updatedAt,
    sync,
    totals,
    services,
    attention,
    waiting,
    validation,
    isolation: proof && { when: proof.when, isolated: proof.isolated, reasons: proof.reasons, at: proof.at },
    downtime,
    paused,
    left,
    held,
    wayBack: wayBackOf(state, allSteps),
    lastPoint: last && { syncId: last.syncId, kind: last.kind, completedAt: last.completedAt, root: last.root },
    nextDeltaAt: deltaPhases.has(phase) ? nextDeltaAt(workload, windows) : undefined,
    behind,
    lagSeconds: Math.round((lagMs(points, now) ?? 0) / 1000),
    steps: Object.fromEntries(
      Object.entries(state.steps).map(([name, { status, attempt, startedAt, endedAt, failure }]) => [
        name,
        { status, attempt, startedAt, endedAt, failure },
      ]),
    ),
  };
}
