// A pause takes effect where it is safe: between steps and between attempts, and wherever a group rests.
import { type Ctx, type Flow, firstOf } from '../shared/durable/flow.ts';
import type { Subject } from '../shared/durable/step.ts';
import { recordStep } from './journal/activities.ts';

/** Rests for as long as a pause stands; a safe point. Waiting costs nothing: only an order ends it. */
export function* restWhilePaused(ctx: Ctx, subject: Subject): Flow<void> {
  ctx.safePoint();
  for (let order = ctx.rest; order?.action === 'pause'; ) {
    const { id, by, reason, deltas } = order;
    yield* recordStep.call(ctx, {
      ...subject,
      operationId: ctx.operationId('rest', id),
      what: { type: 'landfall.workload.paused', data: { by, reason, deltas } },
    });
    yield* firstOf(ctx, [], () => ctx.rest?.id !== id);
    order = ctx.rest;
    if (order?.action === 'resume')
      yield* recordStep.call(ctx, {
        ...subject,
        operationId: ctx.operationId('rest', order.id),
        what: { type: 'landfall.workload.resumed', data: { by: order.by, reason: order.reason } },
      });
  }
}
