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

/** Which workloads' children failed, and how. */
export function failuresOf(
  outcomes: ReadonlyMap<string, WorkOutcome>,
  workloadIds: readonly string[],
  instanceId: (workloadId: string) => string,
): Map<string, Failure> {
  return new Map(
    workloadIds.flatMap((id) => {
      const failure = outcomes.get(instanceId(id))?.failure;
      return failure === undefined ? [] : [[id, failure] as const];
    }),
  );
}

/** The first failure, if there is any, with the names of all whose work has failed. */
export function failedTogether(failed: ReadonlyMap<string, Failure>): MigrationError | undefined {
  const [first, ...others] = failed;
  if (first === undefined) return undefined;
  const also = others.length === 0 ? '' : ` It failed for ${others.map(([id]) => id).join(', ')} as well.`;
  const [, failure] = first;
  return new MigrationError({ ...failure, message: `${failure.message}${also}`, workloadIds: [...failed.keys()] });
}

/** The outcomes, if all succeeded; throws the first failure among them. */
export function succeeded<O extends WorkOutcome>(outcomes: ReadonlyMap<string, O>): O[] {
  for (const { failure } of outcomes.values()) if (failure !== undefined) throw new MigrationError(failure);
  return [...outcomes.values()];
}
