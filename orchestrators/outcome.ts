import { z } from 'zod';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { Failure, MigrationError } from '../shared/errors.ts';
import { Interruption } from '../shared/model/control.ts';
import { passOrderOn } from './journal/activities.ts';
import { failureOf, Taken } from './saga.ts';

/** How a child orchestration ended: a value, never a throw. What it began goes up to whoever may have to undo it. */
export const ChildOutcome = z.strictObject({ taken: z.array(Taken), interrupted: Interruption.optional() });
export type ChildOutcome = z.infer<typeof ChildOutcome>;

/** Runs a story to its end or to its interruption. An answer to roll back takes the others of the group along. */
export function* outcomeOf(
  ctx: Ctx,
  workload: { waveId: string; workloadId: string },
  taken: Taken[],
  story: Flow<void>,
): Flow<ChildOutcome> {
  try {
    yield* story;
    return { taken };
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const { signal } = error;
    if (signal !== ctx.interruption)
      yield* passOrderOn.call(ctx, { ...workload, operationId: ctx.operationId('passOrderOn'), signal });
    return { taken, interrupted: signal };
  }
}

/** How a child ended that no order interrupts. */
export const WorkOutcome = z.strictObject({ failure: Failure.optional() });
export type WorkOutcome = z.infer<typeof WorkOutcome>;

/** Runs work to its end or to its failure. */
export function* workOutcome(work: Flow<void>): Flow<WorkOutcome> {
  try {
    yield* work;
    return {};
  } catch (error) {
    return { failure: failureOf(error, 'working on a machine') };
  }
}

/** The outcomes, if all succeeded; throws the first failure among them. */
export function succeeded<O extends WorkOutcome>(outcomes: ReadonlyMap<string, O>): O[] {
  for (const { failure } of outcomes.values()) if (failure !== undefined) throw new MigrationError(failure);
  return [...outcomes.values()];
}
