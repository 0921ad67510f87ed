// The points of no return: what a rollback takes at each moment, and what it would undo.
import { Phase, targetMayHaveWrites } from '../lifecycle/phases.ts';
import type { WorkloadState } from '../lifecycle/state.ts';

/** Free until traffic moves; then an approver must accept the loss of what the target has taken in; none after the commit. */
export type May = 'free' | 'acceptDataLoss' | 'none';

export interface WayBack {
  may: May;
  /** The role that may order it. */
  by: 'operator' | 'approver' | null;
  /** Steps that a rollback to replicating undoes, in that order. */
  undoes: string[];
  /** Steps that are undone as well if it goes on to withdrawn. */
  withdrawing: string[];
}

/** Which kind of way back a phase leaves; of attention and paused the phase they were entered from counts. */
export function mayGoBack({ phase, remembered }: Pick<WorkloadState, 'phase' | 'remembered'>): May {
  const at = remembered ?? phase;
  if (at === Phase.committed) return 'none';
  return targetMayHaveWrites.has(at) ? 'acceptDataLoss' : 'free';
}

const roleFor = { free: 'operator', acceptDataLoss: 'approver', none: null } as const;

/** The way back of one workload. `order`: all steps' names in the order of the runbook, and which of them withdrawing undoes. */
export function wayBackOf(
  state: Pick<WorkloadState, 'phase' | 'remembered' | 'steps'>,
  order: readonly { name: string; number: number }[],
): WayBack {
  const may = mayGoBack(state);
  const standing = order
    .filter(({ name }) => {
      const status = state.steps[name]?.status;
      return may !== 'none' && status !== undefined && status !== 'undone';
    })
    .toReversed();
  const named = (within: (number: number) => boolean) =>
    standing.filter(({ number }) => within(number)).map(({ name }) => name);
  return {
    may,
    by: roleFor[may],
    undoes: named((number) => number >= firstOfCutover),
    withdrawing: named((number) => number < firstOfCutover),
  };
}

/** Steps before this one keep the workload replicating; they stand when it goes back to that. */
const firstOfCutover = 8;

/** The way back of several workloads together: the hardest counts. */
export function together(ways: readonly WayBack[]): WayBack {
  const may = (['none', 'acceptDataLoss'] as const).find((hard) => ways.some((way) => way.may === hard)) ?? 'free';
  const union = (pick: (way: WayBack) => string[]) => (may === 'none' ? [] : [...new Set(ways.flatMap(pick))]);
  return {
    may,
    by: roleFor[may],
    undoes: union(({ undoes }) => undoes),
    withdrawing: union(({ withdrawing }) => withdrawing),
  };
}
