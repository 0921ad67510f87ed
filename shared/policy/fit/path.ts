// A group's critical path: services stop tier by tier in reverse, targets come up tier by tier in order; within a tier
// workloads go side by side, and the next tier waits for the slowest.
import type { WorkloadParts } from './downtime.ts';
import { type Estimate, inParallel, inSequence } from './estimate.ts';

/** One leg of the path, and whose time it is. */
export interface Leg {
  what: 'stop' | 'launch' | 'actions' | 'traffic' | 'checks';
  workloadIds: string[];
  time: Estimate;
}

export interface GroupPath {
  legs: Leg[];
  /** From the first service that stops to the last check. */
  total: Estimate;
  /** From its own services' stop to the last check, for each workload. */
  downtime: Record<string, Estimate>;
  /** The whole way back from the end of the path: targets away, sources on again tier by tier. */
  undo: Estimate;
}

/** The path of those of a group that are left to cut over; `tiers` in start order. */
export function pathOf(tiers: readonly (readonly string[])[], parts: readonly WorkloadParts[]): GroupPath {
  const known = new Map(parts.map((one) => [one.workloadId, one]));
  const staged = tiers.map((tier) => tier.flatMap((id) => known.get(id) ?? [])).filter((tier) => tier.length > 0);
  const stops = staged
    .toReversed()
    .map((tier) => leg('stop', tier, (one) => inSequence([one.stopServices, one.finalDelta, one.shutdown])));
  const rest = [
    ...staged.map((tier) => leg('launch', tier, (one) => inSequence([one.diskImport, one.boot]))),
    ...staged.map((tier) => leg('actions', tier, ({ actions }) => actions)),
    ...staged.map((tier) => leg('traffic', tier, ({ traffic }) => traffic)),
    leg('checks', staged.flat(), ({ checks }) => checks),
  ];
  const legs = [...stops, ...rest];
  const downtime = stops.flatMap(({ workloadIds }, index) => {
    const left = inSequence(legs.slice(index).map(({ time }) => time));
    return workloadIds.map((id) => [id, left] as const);
  });
  return {
    legs: legs.filter(({ time }) => time.highMs > 0),
    total: inSequence(legs.map(({ time }) => time)),
    downtime: Object.fromEntries(downtime),
    undo: inSequence([
      inParallel(staged.flat().map(({ undoTarget }) => undoTarget)),
      ...staged.map((tier) => inParallel(tier.map(({ undoSource }) => undoSource))),
    ]),
  };
}

function leg(what: Leg['what'], tier: readonly WorkloadParts[], of: (parts: WorkloadParts) => Estimate): Leg {
  return { what, workloadIds: tier.map(({ workloadId }) => workloadId), time: inParallel(tier.map(of)) };
}
