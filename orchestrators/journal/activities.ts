// What orchestrations write down: phases, steps, questions. Event ids derive from operation ids, so that an activity
// that runs twice writes once.
import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../shared/durable/activity.ts';
import { Failure, terminal } from '../../shared/errors.ts';
import { hashOf } from '../../shared/hash.ts';
import type { PlatformEvent } from '../../shared/lifecycle/events.ts';
import { Phase } from '../../shared/lifecycle/phases.ts';
import { type StepEvent, stepAfter } from '../../shared/lifecycle/stepRecord.ts';
import { Interruption } from '../../shared/model/control.ts';
import type { Store } from '../../shared/store/contract.ts';
import { GroupStatus, waveStatuses } from '../../shared/store/documents.ts';
import { waveOf } from '../../shared/store/plans.ts';

const Subject = z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) });
const operationId = z.string();

/** Appends one platform event to each workload; an illegal one is a bug or a race and fails the activity. */
async function append(store: Store, subject: z.infer<typeof Subject>, event: PlatformEvent): Promise<void> {
  for (const workloadId of subject.workloadIds) {
    const { illegal } = await store.workloads.append(subject.waveId, workloadId, [event]);
    const first = illegal[0];
    if (first !== undefined)
      throw terminal(
        'illegalTransition',
        `${subject.waveId}/${workloadId}: ${first.reason}`,
        'Read the workload’s events; retry once the other work on it has ended.',
      );
  }
}

export const enterPhase = defineActivity({
  name: 'enterPhase',
  input: Subject.extend({ operationId, phase: z.enum(Phase), reason: z.string() }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { operationId, phase, reason, ...subject }) {
    await append(store, subject, {
      id: `${operationId}.phase`,
      time: now(),
      source: 'platform',
      operationId,
      type: 'landfall.workload.phaseEntered',
      data: { phase, reason },
    });
    return null;
  },
});

function isStepEvent(event: PlatformEvent): event is StepEvent {
  return event.type.startsWith('landfall.step.');
}

/** Steps 1-3 belong to no workload: they are written into the wave's document. */
async function noteEnvironmentStep(store: Store, waveId: string, event: StepEvent): Promise<void> {
  const { step } = event.data;
  await store.waves.change(waveId, (wave) => ({
    ...wave,
    steps: { ...wave.steps, [step]: stepAfter(wave.steps?.[step], event) },
  }));
}

export const recordStep = defineActivity({
  name: 'recordStep',
  input: Subject.extend({
    operationId,
    what: z.discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('landfall.step.started'),
        data: z.strictObject({ step: z.string(), attempt: z.int() }),
      }),
      z.strictObject({
        type: z.literal('landfall.step.completed'),
        data: z.strictObject({ step: z.string(), attempt: z.int(), evidence: z.unknown() }),
      }),
      z.strictObject({
        type: z.literal('landfall.step.failed'),
        data: z.strictObject({ step: z.string(), attempt: z.int(), failure: Failure }),
      }),
      z.strictObject({ type: z.literal('landfall.step.undone'), data: z.strictObject({ step: z.string() }) }),
      z.strictObject({
        type: z.literal('landfall.step.undoFailed'),
        data: z.strictObject({ step: z.string(), failure: Failure }),
      }),
      z.strictObject({ type: z.literal('landfall.downtime.began'), data: z.strictObject({ at: z.string() }) }),
      z.strictObject({ type: z.literal('landfall.downtime.ended'), data: z.strictObject({ at: z.string() }) }),
      z.strictObject({ type: z.literal('landfall.sync.paused'), data: z.strictObject({ reason: z.string() }) }),
      z.strictObject({ type: z.literal('landfall.sync.unpaused'), data: z.strictObject({ reason: z.string() }) }),
    ]),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { operationId, what, ...subject }) {
    const event: PlatformEvent = {
      id: `${operationId}.${what.type}`,
      time: now(),
      source: 'platform',
      operationId,
      ...what,
    };
    if (subject.workloadIds.length > 0) await append(store, subject, event);
    else if (isStepEvent(event)) await noteEnvironmentStep(store, subject.waveId, event);
    return null;
  },
});

/** Asks people what to do about a failed step: an attention document, and the phase `attention` on every workload concerned. */
export const askForHelp = defineActivity({
  name: 'askForHelp',
  input: Subject.extend({
    operationId,
    step: z.string(),
    failure: Failure,
    choices: z.array(z.enum(['retry', 'rollback'])),
  }),
  output: z.string(),
  retry: patientRetry,
  async effect({ store, now }, { operationId, step, failure, choices, waveId, workloadIds }) {
    const attentionId = `attention.${hashOf(operationId).slice(0, 16)}`;
    await store.attentions.open({
      id: attentionId,
      kind: 'attention',
      waveId,
      step,
      workloadIds,
      failure,
      choices,
      status: 'open',
      openedAt: now(),
      operationId,
    });
    // Also when somebody has answered between a first try that crashed here and this one: an answer needs its question.
    await append(
      store,
      { waveId, workloadIds },
      {
        id: `${operationId}.attention`,
        time: now(),
        source: 'platform',
        operationId,
        type: 'landfall.workload.attentionRaised',
        data: { attentionId, step, failure, choices },
      },
    );
    return attentionId;
  },
});

/** Closes a question: after its answer, or because control arrived first. */
export const helpEnded = defineActivity({
  name: 'helpEnded',
  input: Subject.extend({
    operationId,
    attentionId: z.string(),
    choice: z.enum(['retry', 'rollback']),
    by: z.string(),
    reason: z.string(),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { operationId, attentionId, choice, by, reason, ...subject }) {
    await store.attentions.change(subject.waveId, attentionId, (attention) =>
      attention.status === 'open' ? { ...attention, status: 'withdrawn' } : undefined,
    );
    await append(store, subject, {
      id: `${operationId}.answered`,
      time: now(),
      source: `user:${by}`,
      operationId,
      type: 'landfall.workload.attentionAnswered',
      data: { attentionId, choice, reason },
    });
    return null;
  },
});

/** Gives the others of its group the order that one workload's orchestration got as an answer: a group stays together. */
export const passOrderOn = defineActivity({
  name: 'passOrderOn',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), operationId, signal: Interruption }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, workloadId, operationId, signal }) {
    const { plan, attempt } = await waveOf(store, waveId);
    const members = plan.groups.find(({ tiers }) => tiers.flat().includes(workloadId))?.tiers.flat() ?? [];
    const others = members.filter((other) => other !== workloadId);
    const parts = ['prepare', 'cutover'];
    const instanceIds = others.flatMap((id) => parts.map((part) => `${part}-${waveId}.${id}-${attempt}`));
    if (instanceIds.length === 0) return null;
    const id = `control.${hashOf(operationId).slice(0, 32)}`;
    // Whoever gave the answer was asked what it may cost.
    const told = { ...signal, acceptDataLoss: true };
    await store.controls.put({ id, kind: 'control', waveId, instanceIds, signal: told, at: now() });
    return null;
  },
});

export const recordGroup = defineActivity({
  name: 'recordGroup',
  input: z.strictObject({
    waveId: z.string(),
    groupId: z.string(),
    status: GroupStatus.shape.status,
    instanceId: z.string(),
    reason: z.string().optional(),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, groupId, status, instanceId, reason }) {
    await store.waves.change(waveId, (wave) => ({
      ...wave,
      groups: {
        ...wave.groups,
        [groupId]: { status, instanceId, updatedAt: now(), ...(reason === undefined ? {} : { reason }) },
      },
    }));
    return null;
  },
});

export const recordWave = defineActivity({
  name: 'recordWave',
  input: z.strictObject({
    waveId: z.string(),
    status: z.enum(waveStatuses),
    attempt: z.int(),
    reason: z.string().optional(),
    ended: z.boolean(),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, status, attempt, reason, ended }) {
    await store.waves.change(waveId, ({ reason: _old, ...wave }) => ({
      ...wave,
      status,
      // The attempt that runs, should two starts have counted up at once: orders and signals are addressed by it.
      attempt,
      ...(reason === undefined ? {} : { reason }),
      ...(ended ? { endedAt: now() } : {}),
    }));
    return null;
  },
});
