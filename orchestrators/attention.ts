// What becomes of a failure that nobody can mend by trying again: the group's policy decides, or people are asked.
import { z } from 'zod';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import type { Subject } from '../shared/durable/step.ts';
import { listenFor } from '../shared/durable/waits.ts';
import type { Failure } from '../shared/errors.ts';
import { Answer, type Asked } from '../shared/model/attention.ts';
import type { Interruption } from '../shared/model/control.ts';
import type { OnFailure } from '../shared/model/failurePolicy.ts';
import { askForHelp, followPolicy, helpEnded, withdrawQuestion } from './journal/attention/activities.ts';

export interface Question extends Asked {
  step: string;
  failure: Failure;
}

/** Who failed where: `operationId` addresses the answer. */
export interface Asking {
  subject: Subject;
  operationId: string;
  question: Question;
  /** What happens when people have not answered by `question.until`. */
  otherwise?: Interruption | undefined;
}

const failurePolicy = 'failure policy';

/** Lets the policy decide where it can, and else asks people. Returns what to do; throws `Interrupted` for the way back. */
export function* decide(ctx: Ctx, asking: Asking, onFailure: OnFailure): Flow<Answer> {
  // After traffic has moved the way back costs data: no policy of failures says that it may.
  if (onFailure === 'hold' || !ctx.freeReturn) return yield* askPeople(ctx, asking);
  const { subject, operationId, question } = asking;
  const alone = onFailure === 'goOn';
  const workloadIds = alone ? whoLeaves(ctx, asking) : subject.workloadIds;
  if (alone && workloadIds.length === 0) return yield* askPeople(ctx, asking);
  const { waveId } = subject;
  const policy = { by: failurePolicy, course: alone ? 'leave' : 'goBack' } as const;
  const { decided } = yield* followPolicy.call(ctx, { waveId, workloadIds, operationId, ...question, ...policy });
  if (!decided) return yield* askPeople(ctx, asking);
  const reason = `${question.step} failed: ${question.failure.message}`;
  const named = alone ? { workloadIds } : {};
  throw new Interrupted({ action: 'rollback', to: 'replicating', by: failurePolicy, reason, ...named });
}

/** The one that this instance works for; or those of a group that the failure names, if it does not name all. */
function whoLeaves(ctx: Ctx, { subject, question }: Asking): string[] {
  if (ctx.workloadId !== undefined) return subject.workloadIds;
  const { workloadIds = [] } = question.failure;
  return workloadIds.length < subject.workloadIds.length ? workloadIds : [];
}

/** Has it on record that a policy lets workloads stay behind that have failed: the wave's failure budget counts them. */
export function* stayBehind(
  ctx: Ctx,
  { subject, operationId, step, failure }: Pick<Asking, 'subject' | 'operationId'> & Pick<Question, 'step' | 'failure'>,
): Flow<void> {
  const question: Question = { step, failure, during: 'run', choices: ['rollback'] };
  yield* followPolicy.call(ctx, { ...subject, operationId, ...question, by: failurePolicy, course: 'stayBehind' });
}

const Answered = z.looseObject({ data: Answer });

/**
 * Raises attention and waits, without limit unless the question has one. Returns the answer; throws `Interrupted` for
 * `rollback` and `cancel`, and when the time is over.
 */
export function* askPeople(ctx: Ctx, asking: Asking): Flow<Answer> {
  const { subject, operationId, question, otherwise } = asking;
  const attentionId = yield* askForHelp.call(ctx, { ...subject, operationId, ...question });
  const ended = { ...subject, operationId, attentionId };
  try {
    const answer = yield* answerTo(ctx, asking, attentionId);
    yield* helpEnded.call(ctx, { ...ended, answer });
    if (answer.by === otherwise?.by) throw new Interrupted(otherwise);
    if (answer.choice === 'rollback' || answer.choice === 'cancel') throw leadBack(answer, subject);
    return answer;
  } catch (error) {
    if (error instanceof Interrupted && error.signal === ctx.interruption) {
      const { action: choice, by, reason } = error.signal;
      yield* helpEnded.call(ctx, { ...ended, answer: { choice, by, reason, at: ctx.now() } });
    }
    throw error;
  }
}

/** People's answer, or what is said `otherwise` when the question's time is over and nobody has answered. */
function* answerTo(ctx: Ctx, { subject, operationId, question, otherwise }: Asking, attentionId: string): Flow<Answer> {
  const answered = listenFor(ctx, operationId, Answered);
  const inTime = yield* answered(undefined, otherwise && question.until);
  if (inTime !== undefined) return inTime.data;
  const { withdrawn } = yield* withdrawQuestion.call(ctx, { waveId: subject.waveId, attentionId });
  // People were faster: what they said counts, and is on its way.
  const late = withdrawn ? undefined : yield* answered();
  const { by = 'platform', reason = '' } = otherwise ?? {};
  return late?.data ?? { choice: 'rollback', by, reason, at: ctx.now() };
}

function leadBack({ choice, by, reason, to, alone }: Answer, { workloadIds }: Subject): Interrupted {
  if (choice === 'cancel') return new Interrupted({ action: 'cancel', to: 'withdrawn', by, reason });
  const named = alone === true ? { workloadIds } : {};
  return new Interrupted({ action: 'rollback', to: to ?? 'replicating', by, reason, ...named });
}
