// Which queued syncs may start: whoever is before, within what source, appliance, line and subscription can bear.
import type { SyncKind } from '../lifecycle/state.ts';

/** What a sync takes of a budget while it runs. */
export interface Claim {
  /** In words, such as `disks of hypervisor cellar/kvm-1`: the same words mean the same budget. */
  budget: string;
  units: number;
  limit: number;
}

export interface QueuedSync {
  key: string;
  kind: SyncKind;
  queuedAt: string;
  claims: readonly Claim[];
  /** Until when it may not start, whatever is free; and why. */
  heldUntil?: string | undefined;
}

/** Why a sync does not start yet, and how many are before it that wait for the same (with it: 1 is the next one). */
export interface Waiting<Q> {
  sync: Q;
  position: number;
  reason: string;
}

/** A final sync holds an outage, an initial one holds a wave, a delta can wait. */
const priority: Readonly<Record<SyncKind, number>> = { final: 0, initial: 1, delta: 2 };

/**
 * The queued syncs that may start now, in order: by kind, then by age. Nobody passes somebody who waits for a budget that
 * both need, so that small syncs never keep a large one waiting for ever. One that alone exceeds a budget may have all of it.
 */
export function admit<Q extends QueuedSync>(
  queued: readonly Q[],
  running: readonly Pick<QueuedSync, 'claims'>[],
): { admitted: Q[]; waiting: Waiting<Q>[] } {
  const used = new Map<string, number>();
  const take = ({ claims }: Pick<QueuedSync, 'claims'>): void => {
    for (const { budget, units } of claims) used.set(budget, (used.get(budget) ?? 0) + units);
  };
  running.forEach(take);
  const queues = new Map<string, number>();
  const admitted: Q[] = [];
  const waiting: Waiting<Q>[] = [];
  for (const sync of [...queued].sort(before)) {
    const wanting = sync.heldUntil ?? sync.claims.find((claim) => queues.has(claim.budget) || !fits(claim, used));
    if (wanting === undefined) {
      take(sync);
      admitted.push(sync);
      continue;
    }
    const name = typeof wanting === 'string' ? `until ${wanting}` : wanting.budget;
    const position = (queues.get(name) ?? 0) + 1;
    queues.set(name, position);
    const reason =
      typeof wanting === 'string'
        ? `a blackout of syncs until ${wanting}`
        : `${wanting.budget}: ${used.get(wanting.budget) ?? 0} of ${wanting.limit} are in use, ${wanting.units} needed`;
    waiting.push({ sync, position, reason });
  }
  return { admitted, waiting };
}

function fits({ budget, units, limit }: Claim, used: ReadonlyMap<string, number>): boolean {
  const busy = used.get(budget) ?? 0;
  return busy + units <= limit || busy === 0;
}

function before(a: QueuedSync, b: QueuedSync): number {
  return (
    priority[a.kind] - priority[b.kind] || Date.parse(a.queuedAt) - Date.parse(b.queuedAt) || (a.key < b.key ? -1 : 1)
  );
}
