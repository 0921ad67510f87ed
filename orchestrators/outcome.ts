import { z } from 'zod';
import { type Flow, Interrupted } from '../shared/durable/flow.ts';
import { Interruption } from '../shared/model/control.ts';
import { Taken } from './saga.ts';

/** How a child orchestration ended: a value, never a throw. What it began goes up to whoever may have to undo it. */
export const ChildOutcome = z.strictObject({ taken: z.array(Taken), interrupted: Interruption.optional() });
export type ChildOutcome = z.infer<typeof ChildOutcome>;

/** Runs a story to its end or to its interruption. */
export function* outcomeOf(taken: Taken[], story: Flow<void>): Flow<ChildOutcome> {
  try {
    yield* story;
    return { taken };
  } catch (error) {
    if (error instanceof Interrupted) return { taken, interrupted: error.signal };
    throw error;
  }
}
