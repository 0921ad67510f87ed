// Waiting for others: groups of the same wave, groups, workloads and whole waves elsewhere.
import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { waitUntil } from '../shared/durable/waits.ts';
import { recordGroup } from './journal/activities.ts';
import { unmetNeeds } from './journal/needs/activities.ts';

/**
 * Waits, for as long as it takes and at a safe point, until everything has committed that these workloads of a group
 * need; the group's status says meanwhile what that is. Returns why it is in vain, if something in the same wave has
 * ended otherwise. Whoever ends wakes this instance, and it looks again: a wake-up says nothing by itself.
 */
export function* needsMet(
  ctx: Ctx,
  { waveId, groupId, workloadIds }: { waveId: string; groupId: string; workloadIds: string[] },
): Flow<string | undefined> {
  const waiting = { waveId, groupId, status: 'waiting' as const, instanceId: ctx.instanceId };
  let shown: string | undefined;
  for (;;) {
    const { waitsFor, ended } = yield* unmetNeeds.call(ctx, { waveId, groupId, workloadIds });
    if (ended !== null) return ended;
    if (waitsFor.length === 0) {
      if (shown !== undefined) yield* recordGroup.call(ctx, waiting);
      return undefined;
    }
    const reason = `waits for ${waitsFor.join(', ')}`.slice(0, 1000);
    if (reason !== shown) yield* recordGroup.call(ctx, { ...waiting, reason });
    shown = reason;
    yield* waitUntil(ctx, ctx.operationId('settled'), z.unknown(), undefined);
  }
}
