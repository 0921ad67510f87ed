import type { z } from 'zod';
import type { Ctx, Flow } from './flow.ts';

/** What a step works on: the workloads whose journal it is written to; none for a step of the whole environment. */
export interface Subject {
  waveId: string;
  workloadIds: string[];
}

/** What is done where people skip a step: its output without its work. */
export interface Skip<I, O> {
  /** Who may: an approver where skipping weakens a proof. */
  readonly needs: 'operator' | 'approver';
  instead(ctx: Ctx, input: I, why: { by: string; reason: string }, attempt: number): Flow<O>;
}

/** Changed input that a retry may carry: for that attempt only, never for the plan. */
export interface Changes<C> {
  readonly schema: z.ZodType<C>;
  /** Who may: an approver where the change weakens a proof. */
  readonly needs: 'operator' | 'approver';
}

/**
 * A step of the itinerary: capture, precheck, run, verify, undo. Undo sits beside run and gets what was captured, never
 * what run returned. Each part has operation ids of its own that its attempts never share, so it may run twice.
 */
export interface StepDefinition<I, B, O, C = unknown> {
  readonly number: number;
  readonly name: string;
  readonly scope: 'environment' | 'group' | 'workload';
  readonly input: z.ZodType<I>;
  readonly before: z.ZodType<B>;
  readonly output: z.ZodType<O>;
  readonly changes?: Changes<C>;
  readonly skip?: Skip<I, O>;
  /** Tells steps of one name and one orchestration apart, such as one per site or per batch: their questions as well. */
  readonly key?: (input: I) => string;
  /** Reads what undo will need. Changes nothing; runs until precheck has passed once. */
  capture(ctx: Ctx, input: I, attempt: number): Flow<B>;
  /** Looks before anything is changed; throws what stands against it, returns what it saw as evidence. */
  precheck?(ctx: Ctx, input: I, before: B, attempt: number, changed: C | undefined): Flow<unknown>;
  /** Does the work; may run again after an answer to its failure, then with the same before-state and a higher attempt. */
  run(ctx: Ctx, input: I, before: B, attempt: number, changed: C | undefined): Flow<O>;
  /** Looks whether the world is as run says; throws what is not, returns what it saw as evidence. */
  verify?(ctx: Ctx, input: I, output: O, attempt: number): Flow<unknown>;
  /** Puts the before-state back; tolerates that nothing or only half was done. */
  undo(ctx: Ctx, input: I, before: B): Flow<void>;
  /** What undo would do, in words: told to people where it fails. */
  todo(input: I, before: B): string[];
}

/** Declares a step; the types follow from its schemas. */
export function defineStep<I, B, O, C = never>(step: StepDefinition<I, B, O, C>): StepDefinition<I, B, O, C> {
  return step;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of steps with different types; each checks its own borders with zod
export type AnyStep = StepDefinition<any, any, any, any>;
