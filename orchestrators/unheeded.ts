// Orders to walk back that come too late to be free, and accept no loss: they are not heeded, they are over, and that is told.
import { type Ctx, type Flow, untilOrdered } from '../shared/durable/flow.ts';
import { isInterruption } from '../shared/model/control.ts';
import { recordUnheeded } from './journal/orders/activities.ts';
import type { Begun, GroupInput } from './membership.ts';

/** Runs beside a cutover: tells of each order that comes after traffic has begun to move and is not heeded. */
export function* watchOrders(ctx: Ctx, input: GroupInput, begun: Begun): Flow<void> {
  for (;;) {
    yield* untilOrdered(() => ctx.unheeded.length > begun.toldOrders);
    yield* tellUnheeded(ctx, input, begun);
  }
}

/** At the end of a batch: tells what its watch has not, and of orders to leave that came when nobody could leave it alone any more. */
export function* closeOrders(ctx: Ctx, input: GroupInput, begun: Begun): Flow<void> {
  for (const order of ctx.orders)
    if (isInterruption(order) && order.workloadIds?.some((id) => begun.batch.includes(id)))
      if (!ctx.unheeded.some(({ id }) => id === order.id)) ctx.unheeded.push(order);
  yield* tellUnheeded(ctx, input, begun);
}

function* tellUnheeded(ctx: Ctx, { waveId, groupId }: GroupInput, begun: Begun): Flow<void> {
  for (let order = ctx.unheeded[begun.toldOrders]; order !== undefined; order = ctx.unheeded[++begun.toldOrders])
    yield* recordUnheeded.call(ctx, {
      ...{ waveId, groupId, workloadIds: begun.batch, order },
      operationId: ctx.operationId('unheeded', begun.toldOrders),
    });
}
