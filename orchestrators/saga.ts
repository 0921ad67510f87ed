// Takes steps forward. A step that fails for good asks its group's policy or people; control (rollback, cancel) arrives
// as `Interrupted` at the next safe point. Undo is armed before a step runs, so half a step is undone as well.
import { z } from 'zod';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import type { AnyStep, StepDefinition, Subject } from '../shared/durable/step.ts';
import { type Failure, MigrationError, toMigrationError, Undecided } from '../shared/errors.ts';
import type { Answer, Part } from '../shared/model/attention.ts';
import type { OnFailure } from '../shared/model/failurePolicy.ts';
import { askPeople, decide, type Question } from './attention.ts';
import { passGateBefore } from './gate.ts';
import { recordStep } from './journal/activities.ts';
import { restWhilePaused } from './pause.ts';

/** A step that was begun, as data: what is needed to undo it, in this orchestration or in another. */
export const Taken = z.strictObject({ step: z.string(), input: z.unknown(), before: z.unknown() });
export type Taken = z.infer<typeof Taken>;

/** Takes one step to its success and remembers it in `taken`. Throws `Interrupted` when it is to be undone instead. */
export function* take<I, B, O, C>(
  ctx: Ctx,
  taken: Taken[],
  step: StepDefinition<I, B, O, C>,
  input: I,
  subject: Subject,
  onFailure: OnFailure = 'hold',
): Flow<O> {
  const key = step.key?.(input);
  const rearmed = taken.find((begun) => begun.step === step.name && step.key?.(step.input.parse(begun.input)) === key);
  const known = rearmed && step.before.parse(rearmed.before);
  const armed: Armed<B> = { before: known, seen: known, passed: known !== undefined, part: 'capture', checked: {} };
  let answer: Answer | undefined;
  for (;;) {
    // Counted on where the step is taken again, by those who stay when others have left: nothing is asked under an id that
    // has been answered.
    const attempt = ctx.nextCount(['take', step.name, ...subjectKey(step, subject, input)].join(' '));
    yield* restWhilePaused(ctx, subject);
    const operationId = ctx.operationId(step.name, ...subjectKey(step, subject, input), attempt);
    const record = recorder(ctx, subject, operationId);
    yield* record({ type: 'landfall.step.started', data: { step: step.name, attempt, ...changedBy(answer) } });
    try {
      if (ctx.gatedSteps.has(step.name) && !armed.passed && answer?.choice !== 'skip')
        yield* passGateBefore(ctx, { name: step.name, subject, operationId });
      armed.passed = true;
      const output = yield* tryOnce(ctx, taken, step, input, armed, attempt, answer);
      const done = { step: step.name, attempt, evidence: output ?? null };
      if (answer?.choice === 'skip') {
        const { by, reason } = answer;
        yield* record({ type: 'landfall.step.skipped', data: { ...done, by, reason } });
      } else yield* record({ type: 'landfall.step.completed', data: { ...done, checked: armed.checked } });
      return output;
    } catch (error) {
      // Interrupted before anything was done: no undo will come, and the record must not say for ever that it runs.
      if (error instanceof Interrupted && armed.before === undefined)
        yield* record({
          type: 'landfall.step.undone',
          data: { step: step.name, reason: `${error.message}; nothing had been done yet` },
        });
      const [during, failure] = [armed.part, asFound(failureOf(error, step.name), armed.before)];
      yield* record({ type: 'landfall.step.failed', data: { step: step.name, attempt, during, failure } });
      const { until, otherwise } = error instanceof Undecided ? error : {};
      const limit = until === undefined ? {} : { until };
      const question = { step: step.name, failure, during, evidence: armed.seen ?? null, ...offerOf(step), ...limit };
      answer = yield* decide(ctx, { subject, operationId: `${operationId}:help`, question, otherwise }, onFailure);
    }
  }
}

/** How far a step has come: its before-state stays the same once it may have changed something. */
interface Armed<B> {
  before: B | undefined;
  seen: B | undefined;
  /** Whether it has passed the gate before it, if there is one. */
  passed: boolean;
  part: Part;
  checked: { before?: unknown; after?: unknown };
}

/** One attempt: skipped, or captured, checked, armed, run and verified. */
function* tryOnce<I, B, O, C>(
  ctx: Ctx,
  taken: Taken[],
  step: StepDefinition<I, B, O, C>,
  input: I,
  armed: Armed<B>,
  attempt: number,
  answer: Answer | undefined,
): Flow<O> {
  if (answer?.choice === 'skip' && step.skip !== undefined) {
    armed.part = 'skip';
    return step.output.parse(yield* step.skip.instead(ctx, input, answer, attempt));
  }
  armed.part = 'capture';
  const before = armed.before ?? step.before.parse(yield* step.capture(ctx, input, attempt));
  armed.seen = before;
  armed.part = 'precheck';
  const changed = answer?.changed === undefined ? undefined : step.changes?.schema.parse(answer.changed);
  if (step.precheck !== undefined) armed.checked.before = yield* step.precheck(ctx, input, before, attempt, changed);
  if (armed.before === undefined) taken.push({ step: step.name, input: step.input.parse(input), before });
  armed.before = before;
  armed.part = 'run';
  const output = step.output.parse(yield* step.run(ctx, input, before, attempt, changed));
  armed.part = 'verify';
  if (step.verify !== undefined) armed.checked.after = yield* step.verify(ctx, input, output, attempt);
  return output;
}

/** A failure that came before the step was armed says so. */
function asFound(failure: Failure, before: unknown): Failure {
  return before === undefined ? { ...failure, message: `${failure.message} Nothing has been changed.` } : failure;
}

/** What people may answer to a step's failure. */
function offerOf({ changes, skip }: AnyStep): Pick<Question, 'choices' | 'accepts' | 'changesNeed' | 'skipNeeds'> {
  return {
    choices: ['retry', ...(skip === undefined ? [] : ['skip' as const]), 'rollback', 'cancel'],
    ...(changes === undefined ? {} : { accepts: z.toJSONSchema(changes.schema), changesNeed: changes.needs }),
    ...(skip === undefined ? {} : { skipNeeds: skip.needs }),
  };
}

function changedBy(answer: Answer | undefined): { changed?: unknown; by?: string } {
  return answer?.changed === undefined ? {} : { changed: answer.changed, by: answer.by };
}

/** A step that an earlier attempt has taken, and with what. */
export interface Earlier {
  step: AnyStep;
  input: unknown;
}

/**
 * Arms steps that an earlier attempt has taken: their effects are there, to be kept by this one or undone. Whoever answers
 * a failure with the way back still wants them undone: all are armed, or done by hand, before `Interrupted` is thrown.
 */
export function* rearm(ctx: Ctx, taken: Taken[], earlier: readonly Earlier[], subject: Subject): Flow<void> {
  let back: Interrupted | undefined;
  for (const { step, input } of earlier)
    for (let attempt = 1; ; attempt++) {
      try {
        const before: unknown = step.before.parse(yield* step.capture(ctx, input, attempt));
        taken.push({ step: step.name, input: step.input.parse(input) as unknown, before });
        break;
      } catch (error) {
        const operationId = ctx.operationId('rearm', step.name, ...subjectKey(step, subject, input), attempt, 'help');
        const failure = failureOf(error, step.name);
        const about = { step: step.name, failure, during: 'capture' as const };
        const question: Question =
          back === undefined
            ? { ...about, choices: ['retry', 'rollback', 'cancel'] }
            : { ...about, choices: ['retry', 'doneByHand'], todo: [undoingOf(step, subject)] };
        try {
          if ((yield* askPeople(ctx, { subject, operationId, question })).choice === 'doneByHand') break;
        } catch (interrupted) {
          if (!(interrupted instanceof Interrupted)) throw interrupted;
          back = interrupted;
        }
      }
    }
  if (back !== undefined) throw back;
}

/** What is left to do by hand of a step of which nobody knows what it found. */
export function undoingOf({ name }: AnyStep, { workloadIds }: Subject): string {
  return `undo ${name}${workloadIds.length === 0 ? '' : ` of ${workloadIds.join(', ')}`}`;
}

/** Writes down what happens to a step, under one operation id. */
export function recorder(ctx: Ctx, subject: Subject, operationId: string) {
  return (what: Parameters<typeof recordStep.call>[1]['what']): Flow<null> =>
    recordStep.call(ctx, { ...subject, operationId, what });
}

/** A failure as data; `Interrupted` is no failure and goes on up. */
export function failureOf(error: unknown, doing: string): Failure {
  if (error instanceof Interrupted) throw error;
  return error instanceof MigrationError ? error.failure : toMigrationError(error, doing).failure;
}

/** A group's orchestration takes one step for several subjects; its operation ids must differ. */
export function subjectKey<I>(
  step: Pick<StepDefinition<I, never, never>, 'scope' | 'key'>,
  subject: Subject,
  input: I,
): string[] {
  const own = step.scope === 'workload' ? subject.workloadIds : [];
  return step.key === undefined ? own : [...own, step.key(input)];
}
