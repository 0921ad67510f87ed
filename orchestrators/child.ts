import { z } from 'zod';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { Interruption } from '../shared/model/control.ts';
import { passOrderOn } from './journal/activities.ts';
import { type Own, walkAlone } from './leave.ts';
import { Taken } from './saga.ts';

/** How a child orchestration ended: a value, never a throw. What it began goes up to whoever may have to undo it. */
export const ChildOutcome = z.strictObject({
  taken: z.array(Taken),
  interrupted: Interruption.optional(),
  /** It has left its group alone and has walked back by itself to where this says: the others go on without it. */
  left: z.enum(['replicating', 'withdrawn']).optional(),
});
export type ChildOutcome = z.infer<typeof ChildOutcome>;

/**
 * Runs a story to its end or to its interruption. An answer to roll back takes the others of the group along, unless it
 * names this workload alone: then it leaves.
 */
export function* outcomeOf(
  ctx: Ctx,
  workload: { waveId: string; workloadId: string },
  own: Own,
  taken: Taken[],
  story: Flow<void>,
): Flow<ChildOutcome> {
  try {
    yield* story;
    return { taken };
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const { signal } = error;
    if (signal.workloadIds !== undefined) return { taken: [], left: yield* walkAlone(ctx, workload, own, signal) };
    if (signal !== ctx.interruption)
      yield* passOrderOn.call(ctx, { ...workload, operationId: ctx.operationId('passOrderOn'), signal });
    return { taken, interrupted: signal };
  }
}
