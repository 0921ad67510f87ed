import type { z } from 'zod';
import type { Ctx, Flow } from './flow.ts';

/** What a step works on: the workloads whose journal it is written to; none for a step of the whole environment. */
export interface Subject {
  waveId: string;
  workloadIds: string[];
}

/** A step of the itinerary: undo sits beside run and gets what was captured first, never what run returned. */
export interface StepDefinition<I, B, O> {
  readonly number: number;
  readonly name: string;
  readonly scope: 'environment' | 'group' | 'workload';
  readonly input: z.ZodType<I>;
  readonly before: z.ZodType<B>;
  readonly output: z.ZodType<O>;
  /** Tells steps of one name and one orchestration apart, such as one per site. */
  readonly key?: (input: I) => string;
  /** Reads what undo will need; runs once, before the first attempt. */
  capture(ctx: Ctx, input: I): Flow<B>;
  /** Does the work; may run again after an answer to its failure, then with the same before-state and a higher attempt. */
  run(ctx: Ctx, input: I, before: B, attempt: number): Flow<O>;
  /** Puts the before-state back; tolerates that nothing or only half was done. */
  undo(ctx: Ctx, input: I, before: B): Flow<void>;
}

/** Declares a step; the types follow from its schemas. */
export function defineStep<I, B, O>(step: StepDefinition<I, B, O>): StepDefinition<I, B, O> {
  return step;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of steps with different types; each checks its own borders with zod
export type AnyStep = StepDefinition<any, any, any>;
