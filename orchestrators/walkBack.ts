// Walks steps back, last first. What cannot be undone is shown with what remains to be done by hand, and waits.
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import type { AnyStep, Subject } from '../shared/durable/step.ts';
import type { Answer } from '../shared/model/attention.ts';
import { askPeople, type Question } from './attention.ts';
import { failureOf, recorder, subjectKey, type Taken } from './saga.ts';

/** Undoes what was begun, last first. A failed undo is shown and waits for people; it is never passed over. */
export function* walkBack(ctx: Ctx, taken: readonly Taken[], steps: readonly AnyStep[], subject: Subject): Flow<void> {
  for (const { step: name, input, before } of taken.toReversed()) {
    const step = steps.find((candidate) => candidate.name === name);
    if (step === undefined) throw new Error(`no step is called "${name}"`);
    const key = ['undo', name, ...subjectKey(step, subject, step.input.parse(input))];
    const known: unknown = step.before.parse(before);
    const byHand = yield* untilDone(
      ctx,
      name,
      subject,
      key,
      step.todo(step.input.parse(input), known),
      function* (operationId) {
        yield* undoOnce(ctx, step, { step: name, input, before }, subject, operationId);
      },
    );
    if (byHand === undefined) continue;
    const { by, reason } = byHand;
    const record = recorder(ctx, subject, ctx.operationId(...key, 'byHand'));
    yield* record({ type: 'landfall.step.undone', data: { step: name, byHand: { by, reason } } });
  }
}

function* undoOnce(
  ctx: Ctx,
  step: AnyStep,
  { input, before }: Taken,
  subject: Subject,
  operationId: string,
): Flow<void> {
  const record = recorder(ctx, subject, operationId);
  try {
    yield* step.undo(ctx, step.input.parse(input), step.before.parse(before));
    const order = ctx.interruption;
    const why = order === undefined ? {} : { reason: `${order.action} by ${order.by}: ${order.reason}` };
    yield* record({ type: 'landfall.step.undone', data: { step: step.name, ...why } });
  } catch (error) {
    const failure = failureOf(error, `undoing ${step.name}`);
    yield* record({ type: 'landfall.step.undoFailed', data: { step: step.name, failure } });
    throw error;
  }
}

/**
 * Does what must succeed: a failure is shown with what remains to be done, and waits, for as long as it takes, for people
 * to retry or to do it by hand. Returns their word in the latter case.
 */
export function* untilDone(
  ctx: Ctx,
  name: string,
  subject: Subject,
  key: (string | number)[],
  todo: string[],
  work: (operationId: string) => Flow<void>,
): Flow<Answer | undefined> {
  for (let attempt = 1; ; attempt++) {
    const operationId = ctx.operationId(...key, attempt);
    try {
      yield* work(operationId);
      return undefined;
    } catch (error) {
      const failure = failureOf(error, name);
      const question: Question = { step: name, failure, during: 'undo', choices: ['retry', 'doneByHand'], todo };
      const answer = yield* askPeople(ctx, { subject, operationId: `${operationId}:help`, question });
      if (answer.choice === 'doneByHand') return answer;
    }
  }
}
