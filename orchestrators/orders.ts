// Orders to orchestrations that did not exist yet when the order was given.
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { type Interruption, withdrawsAll } from '../shared/model/control.ts';
import { ordersFor } from './journal/orders/activities.ts';

/**
 * Hears what was ordered before this instance existed: by its parent, or left in the store. The feed raises an order
 * once, and whoever is about to be started then would never hear of it. It is heeded at the next safe point.
 */
export function* hearEarlierOrders(ctx: Ctx, waveId: string, ofParent: Interruption | undefined): Flow<void> {
  if (ofParent !== undefined) ctx.heed(ofParent);
  const orders = yield* ordersFor.call(ctx, { waveId, instanceId: ctx.instanceId });
  for (const order of orders) ctx.heed(order);
}

/** The first order of a wave's attempt that withdraws all of it, whether or not another one had decided before. */
export function* orderToWithdraw(ctx: Ctx, waveId: string): Flow<Interruption | undefined> {
  return (yield* ordersFor.call(ctx, { waveId, instanceId: ctx.instanceId })).find(withdrawsAll);
}
