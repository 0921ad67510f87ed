// An activity: the only place where an orchestration touches the world. Failures cross the border as values, because
// only our own retry loop knows a transient failure from a permanent one.
import { z } from 'zod';
import type { Capabilities } from '../capabilities.ts';
import { Failure, MigrationError, toMigrationError } from '../errors.ts';
import { type Ctx, type Flow, finish } from './flow.ts';
import { backOff } from './waits.ts';

export interface RetryPolicy {
  /** How often a transient failure is tried in all. */
  attempts: number;
  firstDelayMs: number;
  maxDelayMs: number;
}

const standardRetry: RetryPolicy = { attempts: 8, firstDelayMs: 500, maxDelayMs: 60_000 };
/** For the journal: while the store is away nobody can be asked for help, so it is waited for, a day and more. */
export const patientRetry: RetryPolicy = { attempts: 500, firstDelayMs: 500, maxDelayMs: 300_000 };

const Answer = z.union([z.strictObject({ value: z.unknown() }), z.strictObject({ failure: Failure })]);
type Answer = z.infer<typeof Answer>;

/** What an orchestration sends: which call it is, told apart from every other one for ever, and which try of it. */
export const ActivityCall = z.strictObject({
  operationId: z.string(),
  attempt: z.int().positive(),
  /** The wave that the orchestration works for. */
  waveId: z.string().optional(),
  input: z.unknown(),
});
export type ActivityCall = z.infer<typeof ActivityCall>;

export interface ActivityDefinition<I, O> {
  readonly name: string;
  /** Calls the activity from an orchestration; throws MigrationError when it failed for good. */
  call(ctx: Ctx, input: I): Flow<O>;
  /** Runs the effect of an `ActivityCall`: what the host's activity trigger calls. Never throws. */
  handle(capabilities: Capabilities, call: unknown): Promise<Answer>;
}

/** Defines an activity: zod on both borders, its effect, and how often it is tried. */
export function defineActivity<I, O>(definition: {
  name: string;
  input: z.ZodType<I>;
  output: z.ZodType<O>;
  retry?: RetryPolicy;
  /** Does the work. May run twice for one call: effects are idempotent. */
  effect(capabilities: Capabilities, input: I): Promise<O>;
}): ActivityDefinition<I, O> {
  const { name, input: inputSchema, output: outputSchema, retry = standardRetry, effect } = definition;
  return {
    name,
    *call(ctx, input) {
      const { waveId } = ctx;
      const call = { operationId: ctx.nextCallId(name), waveId, input: inputSchema.parse(input) };
      for (let attempt = 1; ; attempt++) {
        const sent: ActivityCall = { ...call, attempt };
        const answer = Answer.parse(yield* finish(ctx.df.callActivity(name, sent)));
        if ('value' in answer) return outputSchema.parse(answer.value);
        const { failure } = answer;
        const passing = failure.kind === 'transient' || failure.kind === 'throttled';
        if (!passing || attempt >= retry.attempts) throw new MigrationError(failure);
        yield* backOff(ctx, delayMs(failure, attempt, retry));
      }
    },
    async handle(capabilities, call) {
      try {
        const { input } = ActivityCall.parse(call);
        const value = await effect(capabilities, inputSchema.parse(input));
        return { value: outputSchema.parse(value) ?? null };
      } catch (error) {
        return { failure: toMigrationError(error, `running ${name}`).failure };
      }
    },
  };
}

/** Exponential backoff, or longer where the service asked for it. */
function delayMs(failure: Failure, attempt: number, retry: RetryPolicy): number {
  const backoff = Math.min(retry.maxDelayMs, retry.firstDelayMs * 2 ** (attempt - 1));
  return Math.max(backoff, (failure.retryAfterSeconds ?? 0) * 1000);
}

/** For activities that return nothing. */
export const Nothing = z.null();
