// Orders to orchestrations that did not exist yet when the order was given.
import type { ControlSignal, Ctx, Flow } from '../shared/durable/flow.ts';
import { orderFor } from './journal/reads/activities.ts';

/**
 * Hears what was ordered before this instance existed: by its parent, or left in the store. The feed raises an order
 * once, and whoever is about to be started then would never hear of it. It interrupts at the next safe point.
 */
export function* hearEarlierOrder(ctx: Ctx, waveId: string, ofParent: ControlSignal | undefined): Flow<void> {
  const order = ofParent ?? (yield* orderFor.call(ctx, { waveId, instanceId: ctx.instanceId }));
  // An instance that has done nothing yet has moved no traffic: whatever the order, it is free to follow.
  if (order !== null) ctx.interruption ??= order;
}
