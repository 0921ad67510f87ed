// Waiting for others: groups of the same wave, groups, workloads and whole waves elsewhere.
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { recordGroup } from './journal/activities.ts';
import { unmetNeeds } from './journal/needs/activities.ts';

/** Everything has committed that is needed; it never will in this attempt; or an order has ended the wait. */
export type Needs = { state: 'met' } | { state: 'inVain'; reason: string } | { state: 'left' };

/**
 * Waits, for as long as it takes and at a safe point, until everything has committed that these workloads of a group
 * need; the group's status says meanwhile what that is. Whoever ends wakes this instance (`woken`), and it looks again:
 * a wake-up says nothing by itself.
 */
export function* needsMet(
  ctx: Ctx,
  { waveId, groupId, workloadIds }: { waveId: string; groupId: string; workloadIds: string[] },
  woken: (stop: () => boolean) => Flow<boolean>,
  leave: () => boolean,
): Flow<Needs> {
  const waiting = { waveId, groupId, status: 'waiting' as const, instanceId: ctx.instanceId };
  let shown: string | undefined;
  for (;;) {
    const { waitsFor, ended } = yield* unmetNeeds.call(ctx, { waveId, groupId, workloadIds });
    if (ended !== null) return { state: 'inVain', reason: ended };
    if (waitsFor.length === 0) {
      if (shown !== undefined) yield* recordGroup.call(ctx, waiting);
      return { state: 'met' };
    }
    const reason = `waits for ${waitsFor.join(', ')}`.slice(0, 1000);
    if (reason !== shown) yield* recordGroup.call(ctx, { ...waiting, reason });
    shown = reason;
    if (!(yield* woken(leave))) return { state: 'left' };
  }
}
