// Who of a group cuts over next, and with whom: normally all of it at once. Orders to rush or to defer, approvals that
// cover only some, and workloads that are held or gone make it several batches; each is all or none.
import type { ControlSignal } from '../model/control.ts';

export interface Member {
  workloadId: string;
  /** Members of the same group that must serve before it. */
  dependsOn: readonly string[];
}

export type Turn = 'rush' | 'defer';

/** What was ordered about a workload's turn, and when. */
export interface Ordered {
  action: Turn;
  at: string;
}

/** What stands for each workload: the latest of the orders to rush and to defer it. */
export function standingTurns(orders: readonly ControlSignal[]): Map<string, Ordered> {
  const latest = new Map<string, Ordered>();
  for (const order of orders)
    if (order.action === 'rush' || order.action === 'defer')
      for (const workloadId of order.workloadIds)
        if ((latest.get(workloadId)?.at ?? '') <= order.at)
          latest.set(workloadId, { action: order.action, at: order.at });
  return latest;
}

/** These and all that they depend on, near and far. */
export function withNeeds(members: readonly Member[], ids: ReadonlySet<string>): Set<string> {
  return closure(ids, (id) => members.find(({ workloadId }) => workloadId === id)?.dependsOn ?? []);
}

/** These and all that depend on them, near and far. */
export function withDependents(members: readonly Member[], ids: ReadonlySet<string>): Set<string> {
  return closure(ids, (id) =>
    members.filter(({ dependsOn }) => dependsOn.includes(id)).map(({ workloadId }) => workloadId),
  );
}

function closure(from: ReadonlySet<string>, next: (id: string) => readonly string[]): Set<string> {
  const found = new Set(from);
  for (const id of found) for (const other of next(id)) found.add(other);
  return found;
}

/** Tells a group's batches apart: nobody is of two of them. */
export function ofBatch([first = '']: readonly string[]): string {
  return first;
}

export interface Batch {
  workloadIds: string[];
  /** `first`: rushed; `all`: whoever is not set aside; `later`: who was set aside, in a later window. */
  kind: 'first' | 'all' | 'later';
}

/**
 * The next batch of those who wait. `aside` are workloads that a person has deferred or that were not approved: whoever
 * depends on them waits with them, and they come last. Whoever is rushed takes along what it depends on.
 */
export function nextBatch(
  waiting: readonly Member[],
  turns: ReadonlyMap<string, Pick<Ordered, 'action'>>,
  aside: ReadonlySet<string>,
): Batch | undefined {
  const ids = waiting.map(({ workloadId }) => workloadId);
  const only = (wanted: ReadonlySet<string>) => ids.filter((id) => wanted.has(id));
  const deferred = new Set(ids.filter((id) => turns.get(id)?.action === 'defer' || aside.has(id)));
  const rushed = only(
    withNeeds(waiting, new Set(ids.filter((id) => turns.get(id)?.action === 'rush' && !aside.has(id)))),
  );
  if (rushed.length > 0 && !rushed.some((id) => deferred.has(id))) return { workloadIds: rushed, kind: 'first' };
  const later = withDependents(waiting, deferred);
  const now = ids.filter((id) => !later.has(id));
  if (now.length > 0) return { workloadIds: now, kind: 'all' };
  return ids.length > 0 ? { workloadIds: ids, kind: 'later' } : undefined;
}

/** Why a workload may not be rushed or deferred as its group stands, with the names and the way out; nothing, if it may. */
export function whyNot(
  action: Turn,
  workloadId: string,
  waiting: readonly Member[],
  turns: ReadonlyMap<string, Pick<Ordered, 'action'>>,
): string | undefined {
  const isDeferred = (id: string) => turns.get(id)?.action === 'defer';
  if (action === 'rush') {
    const late = [...withNeeds(waiting, new Set([workloadId]))].filter((id) => id !== workloadId && isDeferred(id));
    return late.length === 0
      ? undefined
      : `${workloadId} depends on ${late.join(', ')}, which is deferred: rush that first.`;
  }
  const staying = [...withDependents(waiting, new Set([workloadId]))].filter(
    (id) => id !== workloadId && !isDeferred(id),
  );
  return staying.length === 0
    ? undefined
    : `${staying.join(', ')} would stay and depends on ${workloadId}: defer that first.`;
}
