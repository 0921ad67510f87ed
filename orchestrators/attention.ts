// What becomes of a failure that nobody can mend by trying again: the group's policy decides, or people are asked.
import { z } from 'zod';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import type { Subject } from '../shared/durable/step.ts';
import { waitUntil } from '../shared/durable/waits.ts';
import type { Failure } from '../shared/errors.ts';
import { Answer, type Asked } from '../shared/model/attention.ts';
import type { OnFailure } from '../shared/model/failurePolicy.ts';
import { askForHelp, followPolicy, helpEnded } from './journal/attention/activities.ts';

export interface Question extends Asked {
  step: string;
  failure: Failure;
}

/** Who failed where: `operationId` addresses the answer. */
export interface Asking {
  subject: Subject;
  operationId: string;
  question: Question;
}

const failurePolicy = 'failure policy';

/** Lets the policy decide where it can, and else asks people. Returns what to do; throws `Interrupted` for the way back. */
export function* decide(ctx: Ctx, asking: Asking, onFailure: OnFailure): Flow<Answer> {
  // After traffic has moved the way back costs data: no policy of failures says that it may.
  if (onFailure === 'hold' || !ctx.freeReturn) return yield* askPeople(ctx, asking);
  const { subject, operationId, question } = asking;
  const alone = ctx.workloadId !== undefined && onFailure === 'goOn';
  if (onFailure === 'goOn' && !alone) return yield* askPeople(ctx, asking);
  const { decided } = yield* followPolicy.call(ctx, { ...subject, operationId, ...question, by: failurePolicy, alone });
  if (!decided) return yield* askPeople(ctx, asking);
  const reason = `${question.step} failed: ${question.failure.message}`;
  const named = alone ? { workloadIds: subject.workloadIds } : {};
  throw new Interrupted({ action: 'rollback', to: 'replicating', by: failurePolicy, reason, ...named });
}

const Answered = z.looseObject({ data: Answer });

/** Raises attention and waits without limit. Returns the answer; throws `Interrupted` for `rollback` and `cancel`. */
export function* askPeople(ctx: Ctx, { subject, operationId, question }: Asking): Flow<Answer> {
  const attentionId = yield* askForHelp.call(ctx, { ...subject, operationId, ...question });
  const ended = { ...subject, operationId, attentionId };
  try {
    const { data: answer } = yield* waitUntil(ctx, operationId, Answered, undefined);
    yield* helpEnded.call(ctx, { ...ended, answer });
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

function leadBack({ choice, by, reason, to, alone }: Answer, { workloadIds }: Subject): Interrupted {
  if (choice === 'cancel') return new Interrupted({ action: 'cancel', to: 'withdrawn', by, reason });
  const named = alone === true ? { workloadIds } : {};
  return new Interrupted({ action: 'rollback', to: to ?? 'replicating', by, reason, ...named });
}
