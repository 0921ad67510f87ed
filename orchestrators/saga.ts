// Takes steps forward and walks them back. A step that fails for good asks people; control (rollback, cancel) arrives
// as `Interrupted` at the next safe point. Undo is armed before a step runs, so half a step is undone as well.
import { z } from 'zod';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import type { AnyStep, StepDefinition, Subject } from '../shared/durable/step.ts';
import { waitUntil } from '../shared/durable/waits.ts';
import { type Failure, MigrationError, toMigrationError } from '../shared/errors.ts';
import { passGateBefore } from './gate.ts';
import { askForHelp, helpEnded, recordStep } from './journal/activities.ts';

/** A step that was begun, as data: what is needed to undo it, in this orchestration or in another. */
export const Taken = z.strictObject({ step: z.string(), input: z.unknown(), before: z.unknown() });
export type Taken = z.infer<typeof Taken>;

/** Runs one step to its success and remembers it in `taken`. Throws `Interrupted` when it is to be undone instead. */
export function* take<I, B, O>(
  ctx: Ctx,
  taken: Taken[],
  step: StepDefinition<I, B, O>,
  input: I,
  subject: Subject,
): Flow<O> {
  ctx.safePoint();
  const key = step.key?.(input);
  const rearmed = taken.find((begun) => begun.step === step.name && step.key?.(step.input.parse(begun.input)) === key);
  let armed = rearmed && { before: step.before.parse(rearmed.before) };
  for (let attempt = 1; ; attempt++) {
    const operationId = ctx.operationId(step.name, ...subjectKey(step, subject, input), attempt);
    yield* recordStep.call(ctx, {
      ...subject,
      operationId,
      what: { type: 'landfall.step.started', data: { step: step.name, attempt } },
    });
    try {
      if (armed === undefined) {
        if (ctx.gatedSteps.has(step.name)) yield* passGateBefore(ctx, { name: step.name, subject, operationId });
        armed = { before: step.before.parse(yield* step.capture(ctx, input)) };
        taken.push({ step: step.name, input: step.input.parse(input), before: armed.before });
      }
      const output = step.output.parse(yield* step.run(ctx, input, armed.before, attempt));
      yield* recordStep.call(ctx, {
        ...subject,
        operationId,
        what: { type: 'landfall.step.completed', data: { step: step.name, attempt, evidence: output ?? null } },
      });
      return output;
    } catch (error) {
      // Interrupted before anything was done: no undo will come, and the record must not say for ever that it runs.
      if (error instanceof Interrupted && armed === undefined)
        yield* recordStep.call(ctx, {
          ...subject,
          operationId,
          what: { type: 'landfall.step.undone', data: { step: step.name } },
        });
      const failure = failureOf(error, step.name);
      yield* recordStep.call(ctx, {
        ...subject,
        operationId,
        what: { type: 'landfall.step.failed', data: { step: step.name, attempt, failure } },
      });
      yield* askPeople(ctx, step.name, failure, subject, `${operationId}:help`, ['retry', 'rollback']);
    }
  }
}

/** Arms steps that an earlier attempt has taken: their effects are there, to be kept by this one or undone. */
export function* rearm(
  ctx: Ctx,
  taken: Taken[],
  steps: readonly AnyStep[],
  input: unknown,
  subject: Subject,
): Flow<void> {
  for (const step of steps)
    for (let attempt = 1; ; attempt++) {
      try {
        const before: unknown = step.before.parse(yield* step.capture(ctx, input));
        taken.push({ step: step.name, input: step.input.parse(input) as unknown, before });
        break;
      } catch (error) {
        const operationId = ctx.operationId('rearm', step.name, ...subjectKey(step, subject, input), attempt, 'help');
        yield* askPeople(ctx, step.name, failureOf(error, step.name), subject, operationId, ['retry', 'rollback']);
      }
    }
}

/** Undoes what was begun, last first. A failed undo is shown and waits for a retry; it is never passed over. */
export function* walkBack(ctx: Ctx, taken: readonly Taken[], steps: readonly AnyStep[], subject: Subject): Flow<void> {
  for (const { step: name, input, before } of taken.toReversed()) {
    const step = steps.find((candidate) => candidate.name === name);
    if (step === undefined) throw new Error(`no step is called "${name}"`);
    const key = ['undo', name, ...subjectKey(step, subject, step.input.parse(input))];
    yield* untilDone(ctx, name, subject, key, undoOnce(ctx, step, { step: name, input, before }, subject));
  }
}

function undoOnce(ctx: Ctx, step: AnyStep, { input, before }: Taken, subject: Subject) {
  return function* (operationId: string): Flow<void> {
    const record = (what: Parameters<typeof recordStep.call>[1]['what']): Flow<null> =>
      recordStep.call(ctx, { ...subject, operationId, what });
    try {
      yield* step.undo(ctx, step.input.parse(input), step.before.parse(before));
      yield* record({ type: 'landfall.step.undone', data: { step: step.name } });
    } catch (error) {
      const failure = failureOf(error, `undoing ${step.name}`);
      yield* record({ type: 'landfall.step.undoFailed', data: { step: step.name, failure } });
      throw error;
    }
  };
}

/** Does what must succeed: a failure is shown and waits for people's retry, for as long as it takes. */
export function* untilDone(
  ctx: Ctx,
  name: string,
  subject: Subject,
  key: (string | number)[],
  work: (operationId: string) => Flow<void>,
): Flow<void> {
  for (let attempt = 1; ; attempt++) {
    const operationId = ctx.operationId(...key, attempt);
    try {
      return yield* work(operationId);
    } catch (error) {
      yield* askPeople(ctx, name, failureOf(error, name), subject, `${operationId}:help`, ['retry']);
    }
  }
}

const Answer = z.looseObject({
  data: z.strictObject({ choice: z.enum(['retry', 'rollback']), by: z.string(), reason: z.string() }),
});

/** Raises attention and waits, without limit, for `retry` (returns) or `rollback` (throws `Interrupted`). */
function* askPeople(
  ctx: Ctx,
  step: string,
  failure: Failure,
  subject: Subject,
  operationId: string,
  choices: ('retry' | 'rollback')[],
): Flow<void> {
  const attentionId = yield* askForHelp.call(ctx, { ...subject, operationId, step, failure, choices });
  try {
    const answer = yield* waitUntil(ctx, operationId, Answer, undefined);
    const { choice, by, reason } = answer?.data ?? { choice: 'retry', by: 'platform', reason: '' };
    yield* helpEnded.call(ctx, { ...subject, operationId, attentionId, choice, by, reason });
    if (choice === 'rollback') throw new Interrupted({ action: 'rollback', to: 'replicating', by, reason });
  } catch (error) {
    if (error instanceof Interrupted && error.signal === ctx.interruption)
      yield* helpEnded.call(ctx, {
        ...subject,
        operationId,
        attentionId,
        choice: 'rollback',
        by: error.signal.by,
        reason: error.signal.reason,
      });
    throw error;
  }
}

/** A failure as data; `Interrupted` is no failure and goes on up. */
export function failureOf(error: unknown, doing: string): Failure {
  if (error instanceof Interrupted) throw error;
  return error instanceof MigrationError ? error.failure : toMigrationError(error, doing).failure;
}

/** A group's orchestration takes one step for several subjects; its operation ids must differ. */
function subjectKey<I>(
  step: Pick<StepDefinition<I, never, never>, 'scope' | 'key'>,
  subject: Subject,
  input: I,
): string[] {
  const own = step.scope === 'workload' ? subject.workloadIds : [];
  return step.key === undefined ? own : [...own, step.key(input)];
}
