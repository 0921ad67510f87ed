// A step has failed for good: people are asked, or a policy has decided. Either is an attention document, which is what
// the wave's failure budget counts.
import { z } from 'zod';
import type { Capabilities } from '../../../shared/capabilities.ts';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';
import { Failure } from '../../../shared/errors.ts';
import { hashOf } from '../../../shared/hash.ts';
import type { PlatformEvent } from '../../../shared/lifecycle/events.ts';
import { Answer, Asked } from '../../../shared/model/attention.ts';
import { isFor, orderTime } from '../../../shared/policy/addressees.ts';
import { spent } from '../../../shared/policy/failureBudget.ts';
import type { AttentionDocument } from '../../../shared/store/documents.ts';
import { letLeave } from '../../../shared/store/leaving.ts';
import { waveOf } from '../../../shared/store/plans.ts';
import { append, Subject } from '../activities.ts';

const Question = Subject.extend({ operationId: z.string(), step: z.string(), failure: Failure, ...Asked.shape });
type Question = z.infer<typeof Question>;

function documentOf(question: Question, now: string): AttentionDocument {
  const id = attentionIdOf(question.operationId);
  return { id, kind: 'attention', ...question, status: 'open', openedAt: now };
}

function attentionIdOf(operationId: string): string {
  return `attention.${hashOf(operationId).slice(0, 16)}`;
}

/** Asks people what to do about a failure: an attention document, and the phase `attention` on every workload concerned. */
export const askForHelp = defineActivity({
  name: 'askForHelp',
  input: Question,
  output: z.string(),
  retry: patientRetry,
  async effect({ store, now }, question) {
    const { operationId, step, failure, during, choices, waveId, workloadIds } = question;
    const { id: attentionId } = await store.attentions.open(documentOf(question, now()));
    // Also when somebody has answered between a first try that crashed here and this one: an answer needs its question.
    const event: PlatformEvent = {
      id: `${operationId}.attention`,
      time: now(),
      source: 'platform',
      operationId,
      type: 'landfall.workload.attentionRaised',
      data: { attentionId, step, during, failure, choices },
    };
    await append(store, { waveId, workloadIds }, [event]);
    await heedFailureBudget({ store, now }, waveId);
    return attentionId;
  },
});

/** Takes a question back whose time is over; one that people have answered stays as they left it. */
export const withdrawQuestion = defineActivity({
  name: 'withdrawQuestion',
  input: z.strictObject({ waveId: z.string(), attentionId: z.string() }),
  output: z.strictObject({ withdrawn: z.boolean() }),
  retry: patientRetry,
  async effect({ store }, { waveId, attentionId }) {
    const { status } = await store.attentions.change(waveId, attentionId, (attention) =>
      attention.status === 'open' ? { ...attention, status: 'withdrawn' } : undefined,
    );
    return { withdrawn: status === 'withdrawn' };
  },
});

/** Closes a question: after its answer, or because control arrived first. */
export const helpEnded = defineActivity({
  name: 'helpEnded',
  input: Subject.extend({ operationId: z.string(), attentionId: z.string(), answer: Answer }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { operationId, attentionId, answer, ...subject }) {
    await store.attentions.change(subject.waveId, attentionId, (attention) =>
      attention.status === 'open' ? { ...attention, status: 'withdrawn' } : undefined,
    );
    const { choice, by, reason, changed } = answer;
    const event: PlatformEvent = {
      id: `${operationId}.answered`,
      time: now(),
      source: `user:${by}`,
      operationId,
      type: 'landfall.workload.attentionAnswered',
      data: { attentionId, choice, reason, ...(changed === undefined ? {} : { changed }) },
    };
    await append(store, subject, [event]);
    return null;
  },
});

/**
 * Lets a policy answer a failure with a rollback: of the group; or of some workloads, which then leave their group, or only
 * stay behind for now. Decides nothing where they would leave and the others could not go on without them.
 */
export const followPolicy = defineActivity({
  name: 'followPolicy',
  input: Question.extend({ by: z.string(), course: z.enum(['goBack', 'leave', 'stayBehind']) }),
  output: z.strictObject({ decided: z.boolean() }),
  retry: patientRetry,
  async effect({ store, now }, { by, course, ...question }) {
    const { waveId, workloadIds, failure } = question;
    const alone = course !== 'goBack';
    const reason = failure.message;
    const answer: Answer = { choice: 'rollback', by, reason, at: now(), to: 'replicating', alone };
    const decided: AttentionDocument = { ...documentOf(question, now()), status: 'answered', answer };
    if (course !== 'leave') await store.attentions.open(decided);
    else if ('refused' in (await letLeave(store, waveId, workloadIds, { create: decided }))) return { decided: false };
    await heedFailureBudget({ store, now }, waveId);
    return { decided: true };
  },
});

/** A workload leaves its group: from here on it walks back, and the others go on without it. */
export const leaveGroup = defineActivity({
  name: 'leaveGroup',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    operationId: z.string(),
    action: z.enum(['rollback', 'cancel']),
    by: z.string(),
    reason: z.string(),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, workloadId, operationId, action, by, reason }) {
    const { attempt } = await waveOf(store, waveId);
    const common = { time: now(), source: 'platform', operationId };
    await append(store, { waveId, workloadIds: [workloadId] }, [
      {
        ...common,
        id: `${operationId}.phase`,
        type: 'landfall.workload.phaseEntered',
        data: { phase: 'rollingBack', reason: `${action} of this workload alone, by ${by}: ${reason}` },
      },
      {
        ...common,
        id: `${operationId}.left`,
        type: 'landfall.workload.left',
        data: { by, reason, attempt },
      },
    ]);
    return null;
  },
});

const budget = 'failure budget';

/** Pauses the wave once more workloads have failed than its budget allows; since a person's resume it counts anew. */
async function heedFailureBudget({ store, now }: Pick<Capabilities, 'store' | 'now'>, waveId: string): Promise<void> {
  const wave = await waveOf(store, waveId);
  const { plan, startedAt = '' } = wave;
  if (plan.failureBudget === undefined) return;
  const orders = await store.controls.list(waveId);
  const whole = orders.filter((order) => order.at >= startedAt && isFor(order, `wave-${waveId}`));
  const resumedAt = whole.findLast(({ signal }) => signal.action === 'resume')?.at ?? startedAt;
  const id = `control.${hashOf([budget, waveId, wave.attempt, resumedAt]).slice(0, 32)}`;
  if (orders.some((order) => order.id === id)) return;
  const since = (await store.attentions.list(waveId)).filter(({ openedAt }) => openedAt >= resumedAt);
  const failed = [
    ...new Set(
      since
        .filter(({ during }) => during !== 'undo')
        .flatMap(({ failure, workloadIds }) => failure.workloadIds ?? workloadIds),
    ),
  ];
  const reason = spent(plan.failureBudget, plan.size, failed);
  if (reason === undefined) return;
  const at = orderTime(orders, startedAt, now());
  const signal = { action: 'pause', by: budget, reason, id, at, deltas: 'goOn' } as const;
  const instanceIds = { allOfAttempt: wave.attempt };
  await store.controls.put({ id, kind: 'control', waveId, instanceIds, signal, at });
}
