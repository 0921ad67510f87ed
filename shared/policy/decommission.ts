// When people are asked whether staged points may be deleted and sources removed, and about whom. Nothing is ever deleted
// by the passing of time.
import { Phase } from '../lifecycle/phases.ts';
import type { WorkloadState } from '../lifecycle/state.ts';

/** A workload as far as this is decided by it. */
export interface Standing {
  workloadId: string;
  state: Pick<WorkloadState, 'phase' | 'decommission' | 'points' | 'totals'>;
}

/** When people are asked about a workload; undefined unless it has committed and its points are still there. */
function dueAtOf({ state: { phase, decommission } }: Standing): string | undefined {
  return phase === Phase.committed && decommission?.deletedAt === undefined ? decommission?.dueAt : undefined;
}

/** About whom of a group people are asked now. */
export function dueOf(workloads: readonly Standing[], now: string): string[] {
  return workloads.filter((each) => (dueAtOf(each) ?? '~') <= now).map(({ workloadId }) => workloadId);
}

/** When they are asked next about anybody of a group; undefined if about nobody. */
export function nextDue(workloads: readonly Standing[]): string | undefined {
  return workloads.flatMap((each) => dueAtOf(each) ?? []).sort()[0];
}

/** What is still in the staging storage, of whatever became of its workloads: it costs money. */
export function stagedIn(workloads: readonly Standing[]): { workloads: number; bytesWritten: number } {
  const staged = workloads.filter(({ state }) => state.points.length > 0);
  const bytes = staged.map(({ state: { totals } }) => totals.initialBytes + totals.deltaBytes + totals.finalBytes);
  return { workloads: staged.length, bytesWritten: bytes.reduce((sum, each) => sum + each, 0) };
}
