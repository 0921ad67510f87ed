// How work on one machine ended: a value, never a throw.
import { z } from 'zod';
import type { Flow } from '../shared/durable/flow.ts';
import { Failure, MigrationError } from '../shared/errors.ts';
import { failureOf } from './saga.ts';

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
