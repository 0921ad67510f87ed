// Whether the groups of a wave fit their windows: predicted from what their workloads' syncs and launches took.

import type { PlannedGroup } from '../../shared/model/plan.ts';
import type { WorkloadParts } from '../../shared/policy/fit/downtime.ts';
import type { Estimate } from '../../shared/policy/fit/estimate.ts';
import { type GroupFit, judgeGroup, reasonOf } from '../../shared/policy/windowFit.ts';
import type { GroupStatus, WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';

/** Groups whose services have stopped, or that are through, are not predicted any more. */
const ahead: ReadonlySet<GroupStatus['status']> = new Set([
  'planned',
  'preparing',
  'testing',
  'waiting',
  'held',
  'rolledBack',
]);

/** The prediction for each group that has its cutover ahead. */
export function fitsOf(
  { plan, groups }: WaveDocument,
  outlines: readonly PlannedGroup[],
  workloads: readonly WorkloadDocument[],
  now: string,
): Map<string, GroupFit> {
  const members = Map.groupBy(workloads, (one) => one.plan.groupId);
  const left = outlines.filter(({ id }) => ahead.has(groups[id]?.status ?? 'planned'));
  return new Map(left.map(({ id, tiers }) => [id, judgeGroup(tiers, members.get(id) ?? [], plan.windows, now)]));
}

/** What the live view of a wave shows of it. */
export function fitSummary(fit: GroupFit) {
  const { verdict, window, latestSafeStart, nextWindow, path } = fit;
  return {
    verdict,
    window,
    latestSafeStart,
    nextWindow,
    reason: reasonOf(fit),
    downtimeSeconds: seconds(path.total),
    undoSeconds: seconds(path.undo),
  };
}

/** All of it. */
export function fitView(groupId: string, fit: GroupFit) {
  const workloads = fit.workloads.map((one) => workloadView(one, fit));
  return { groupId, ...fitSummary(fit), path: fit.path.legs.map(legView), workloads };
}

function legView({ what, workloadIds, time }: GroupFit['path']['legs'][number]) {
  return { what, workloadIds, seconds: seconds(time) };
}

function workloadView({ workloadId, rates, converges, ...parts }: WorkloadParts, { path }: GroupFit) {
  const { churn, throughput, overhead, deltas } = rates;
  const downtime = path.downtime[workloadId];
  return {
    workloadId,
    downtimeSeconds: downtime && seconds(downtime),
    converges,
    deltas,
    churnBytesPerSecond: { expected: Math.round(churn.expected), high: Math.round(churn.high) },
    throughputBytesPerSecond: Math.round(throughput),
    syncOverheadSeconds: seconds(overhead),
    seconds: Object.fromEntries(Object.entries(parts).map(([name, time]) => [name, seconds(time)])),
  };
}

/** To a tenth: small disks take less than a second. */
function seconds({ expectedMs, highMs }: Estimate): { expected: number; high: number } {
  const tenths = (milliseconds: number) => Math.round(milliseconds / 100) / 10;
  return { expected: tenths(expectedMs), high: tenths(highMs) };
}
