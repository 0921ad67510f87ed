// An activity: the only place where an orchestration touches the world. Failures cross the border as values, because
// only our own retry loop knows a transient failure from a permanent one.
import { z } from 'zod';
import type { Capabilities } from '../capabilities.ts';
import { Failure, MigrationError, toMigrationError } from '../errors.ts';
import type { Change } from '../journal/effects.ts';
import { type Ctx, type Flow, finish } from './flow.ts';
import { tellerOf } from './teller.ts';
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

const Answer = z.union([
  z.strictObject({ value: z.unknown() }),
  /** `untold`: the effect is done, or has failed for good, and only its entry in the journal is missing. */
  z.strictObject({ failure: Failure, untold: z.literal(true).optional() }),
]);
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

/** What an effect knows of its call. */
export interface EffectCall {
  operationId: string;
  attempt: number;
  /** Tells a change outside Landfall that has been made or asked for, also where the effect fails after it. */
  changed(change: Change): void;
}

export interface ActivityDefinition<I, O> {
  readonly name: string;
  /** Calls the activity from an orchestration; throws MigrationError when it failed for good. */
  call(ctx: Ctx, input: I): Flow<O>;
  /** Runs the effect of an `ActivityCall`: what the host's activity trigger calls. Never throws. */
  handle(capabilities: Capabilities, call: unknown): Promise<Answer>;
}

/**
 * Defines an activity: zod on both borders, its effect, how often it is tried, and how it is told. What it changes outside
 * Landfall is told in the journal before its answer is given, so that an orchestration never goes on from what is untold.
 */
export function defineActivity<I, O>(definition: {
  name: string;
  input: z.ZodType<I>;
  output: z.ZodType<O>;
  retry?: RetryPolicy;
  /** What it changes outside Landfall, in words: each call is told once. Absent where it looks, or writes the journal itself. */
  changes?: string;
  /** Does the work. May run twice for one call: effects are idempotent. */
  effect(capabilities: Capabilities, input: I, call: EffectCall): Promise<O>;
}): ActivityDefinition<I, O> {
  const { name, input: inputSchema, output: outputSchema, retry = standardRetry, changes, effect } = definition;
  return {
    name,
    *call(ctx, input) {
      const { waveId } = ctx;
      const call = { operationId: ctx.nextCallId(name), waveId, input: inputSchema.parse(input) };
      // A journal that is away does not use up the tries of the effect, and is waited for like any journal.
      for (let [attempt, untold] = [1, 0]; ; ) {
        const sent: ActivityCall = { ...call, attempt };
        const answer = Answer.parse(yield* finish(ctx.df.callActivity(name, sent)));
        if ('value' in answer) return outputSchema.parse(answer.value);
        const { failure } = answer;
        const [tries, policy] = answer.untold === true ? [++untold, patientRetry] : [attempt++, retry];
        if (!passing(failure) || tries >= policy.attempts) throw new MigrationError(failure);
        yield* backOff(ctx, delayMs(failure, tries, policy));
      }
    },
    async handle(capabilities, sent) {
      const call = ActivityCall.parse(sent);
      const made: Change[] = [];
      const teller = tellerOf(capabilities, { name, changes, journals: retry === patientRetry }, call);
      let answer: Answer;
      try {
        const { operationId, attempt } = call;
        const input = inputSchema.parse(call.input);
        const value = await effect(capabilities, input, {
          operationId,
          attempt,
          changed: (one) => void made.push(one),
        });
        answer = { value: outputSchema.parse(value) ?? null };
      } catch (error) {
        const { failure } = toMigrationError(error, `running ${name}`);
        if (passing(failure) && call.attempt < retry.attempts) {
          await teller.retried(failure, delayMs(failure, call.attempt, retry));
          return { failure };
        }
        answer = { failure };
      }
      try {
        await teller.ended(made, 'failure' in answer ? answer.failure : undefined);
        return answer;
      } catch (error) {
        return { failure: toMigrationError(error, `telling what ${name} has done`).failure, untold: true };
      }
    },
  };
}

const passing = ({ kind }: Failure): boolean => kind === 'transient' || kind === 'throttled';

/** Exponential backoff, or longer where the service asked for it. */
function delayMs(failure: Failure, attempt: number, retry: RetryPolicy): number {
  const backoff = Math.min(retry.maxDelayMs, retry.firstDelayMs * 2 ** (attempt - 1));
  return Math.max(backoff, (failure.retryAfterSeconds ?? 0) * 1000);
}

/** For activities that return nothing. */
export const Nothing = z.null();
