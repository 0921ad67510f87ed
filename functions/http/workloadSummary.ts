// A workload in the live view of its wave.
import { allSteps } from '../../orchestrators/itinerary.ts';
import { deltaPhases } from '../../shared/lifecycle/phases.ts';
import type { Opening } from '../../shared/model/window.ts';
import { nextDeltaAt } from '../../shared/policy/cadence.ts';
import { lagMs } from '../../shared/policy/lag.ts';
import { wayBackOf } from '../../shared/policy/wayBack.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';

/** A workload without its evidence: where it stands, what each step came to, what its sync does. */
export function workloadSummary(workload: WorkloadDocument, now: string, windows: readonly Opening[]) {
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
    decommission,
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
    decommission,
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
