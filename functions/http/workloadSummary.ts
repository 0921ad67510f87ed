// A workload in the live view of its wave.
import { allSteps } from '../../orchestrators/itinerary.ts';
import { deltaPhases } from '../../shared/lifecycle/phases.ts';
import type { Opening } from '../../shared/model/window.ts';
import { nextDeltaAt } from '../../shared/policy/cadence.ts';
import { lagMs } from '../../shared/policy/lag.ts';
import { wayBackOf } from '../../shared/policy/wayBack.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';

/** What is told of its state as it is. */
const told = [
  ...(['phase', 'remembered', 'version', 'updatedAt', 'sync', 'behind', 'totals', 'services'] as const),
  ...(['attention', 'waiting', 'validation', 'downtime', 'decommission', 'paused', 'left', 'held'] as const),
];

function pick<T, K extends keyof T>(of: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, of[name]])) as Pick<T, K>;
}

/** A workload without its evidence: where it stands, what each step came to, what its sync does. */
export function workloadSummary(workload: WorkloadDocument, now: string, windows: readonly Opening[]) {
  const { workloadId, plan, state } = workload;
  const { phase, points, isolation } = state;
  const { proof } = isolation ?? {};
  const last = points.at(-1);
  return {
    workloadId,
    groupId: plan.groupId,
    source: plan.source.id,
    method: plan.method,
    applianceId: plan.applianceId,
    target: plan.target,
    ...pick(state, told),
    isolation: proof && { when: proof.when, isolated: proof.isolated, reasons: proof.reasons, at: proof.at },
    wayBack: wayBackOf(state, allSteps),
    lastPoint: last && { syncId: last.syncId, kind: last.kind, completedAt: last.completedAt, root: last.root },
    nextDeltaAt: deltaPhases.has(phase) ? nextDeltaAt(workload, windows) : undefined,
    lagSeconds: Math.round((lagMs(points, now) ?? 0) / 1000),
    steps: Object.fromEntries(
      Object.entries(state.steps).map(([name, { status, attempt, startedAt, endedAt, failure }]) => [
        name,
        { status, attempt, startedAt, endedAt, failure },
      ]),
    ),
  };
}
