// What orchestrations write down: phases, steps, questions. Event ids derive from operation ids, so that an activity
// that runs twice writes once.
import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../shared/durable/activity.ts';
import { terminal } from '../../shared/errors.ts';
import { hashOf } from '../../shared/hash.ts';
import { anchorWave } from '../../shared/journal/anchorWave.ts';
import { shareOf, summaryOf } from '../../shared/journal/share.ts';
import { type PlatformEvent, type PlatformEventType, platformEventData } from '../../shared/lifecycle/events.ts';
import { Phase } from '../../shared/lifecycle/phases.ts';
import { type StepEvent, stepAfter } from '../../shared/lifecycle/stepRecord.ts';
import { Interruption } from '../../shared/model/control.ts';
import { mayGoBack } from '../../shared/policy/wayBack.ts';
import type { Store } from '../../shared/store/contract.ts';
import { endedGroups, GroupStatus, type WaveDocument, waveStatuses } from '../../shared/store/documents.ts';
import { waveOf, workloadOf } from '../../shared/store/plans.ts';

export const Subject = z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) });
const operationId = z.string();

/** Appends platform events to each workload; an illegal one is a bug or a race and fails the activity. */
export async function append(store: Store, subject: z.infer<typeof Subject>, events: PlatformEvent[]): Promise<void> {
  for (const workloadId of subject.workloadIds) {
    const { illegal } = await store.workloads.append(subject.waveId, workloadId, events);
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
  input: Subject.extend({
    ...{ operationId, phase: z.enum(Phase), reason: z.string(), heldIn: z.int().optional() },
    notAfter: z.string().describe('fails with `windowClosed` where none has entered it by then').optional(),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { operationId, phase, reason, heldIn, notAfter, ...subject }) {
    if (notAfter !== undefined && now() > notAfter) await requireEntered(store, subject, phase, notAfter);
    const common = { time: now(), source: 'platform', operationId };
    const entered: PlatformEvent = {
      ...common,
      id: `${operationId}.phase`,
      type: 'landfall.workload.phaseEntered',
      data: { phase, reason, ...(heldIn === undefined ? {} : { heldIn }) },
    };
    const may = mayGoBack({ phase });
    for (const workloadId of subject.workloadIds) {
      const was = mayGoBack((await workloadOf(store, { waveId: subject.waveId, workloadId })).state);
      const changed: PlatformEvent = {
        ...common,
        id: `${operationId}.wayBack`,
        type: 'landfall.workload.wayBackChanged',
        data: { may, was },
      };
      // In one batch: a point of no return is never passed without an entry that says so.
      await append(store, { ...subject, workloadIds: [workloadId] }, may === was ? [entered] : [entered, changed]);
    }
    return null;
  },
});

/** Too late, unless this is the repetition of a call that was in time. */
async function requireEntered(
  store: Store,
  { waveId, workloadIds }: z.infer<typeof Subject>,
  phase: Phase,
  notAfter: string,
): Promise<void> {
  for (const workloadId of workloadIds)
    if ((await workloadOf(store, { waveId, workloadId })).state.phase === phase) return;
  throw terminal(
    'windowClosed',
    `The latest safe start of ${phase} for ${workloadIds.join(', ')}, ${notAfter}, has passed.`,
    'Go on past the window, or roll back.',
  );
}

function isStepEvent(event: PlatformEvent): event is StepEvent {
  return event.type.startsWith('landfall.step.');
}

/** Steps 1-3 belong to no workload: the wave's journal has their events, its document how they stand. */
async function noteEnvironmentStep(store: Store, waveId: string, event: StepEvent): Promise<void> {
  const { step } = event.data;
  await store.waves.change(
    waveId,
    (wave) => ({ ...wave, steps: { ...wave.steps, [step]: stepAfter(wave.steps?.[step], event) } }),
    { entries: [event] },
  );
}

function recordable<T extends PlatformEventType>(type: T) {
  return z.strictObject({ type: z.literal(type), data: platformEventData[type] });
}

type Result = Extract<PlatformEvent, { type: 'landfall.step.completed' | 'landfall.step.skipped' }>;

function isResult(event: PlatformEvent): event is Result {
  return event.type === 'landfall.step.completed' || event.type === 'landfall.step.skipped';
}

/** A result of many workloads: to each its own part, and the summary to the wave. */
async function shareOut(store: Store, { waveId, workloadIds }: z.infer<typeof Subject>, event: Result): Promise<void> {
  for (const workloadId of workloadIds)
    await append(store, { waveId, workloadIds: [workloadId] }, [
      { ...event, data: shareOf(event.data, workloadId) } as Result,
    ]);
  const summary = { ...event, data: { ...(summaryOf(event.data) as object), workloads: workloadIds.length } };
  await store.journal.append(waveId, [summary]);
}

export const recordStep = defineActivity({
  name: 'recordStep',
  input: Subject.extend({
    operationId,
    what: z.discriminatedUnion('type', [
      recordable('landfall.workload.paused'),
      recordable('landfall.workload.resumed'),
      recordable('landfall.step.started'),
      recordable('landfall.step.completed'),
      recordable('landfall.step.skipped'),
      recordable('landfall.step.failed'),
      recordable('landfall.step.undone'),
      recordable('landfall.step.undoFailed'),
      recordable('landfall.byHand.asked'),
      recordable('landfall.byHand.confirmed'),
      recordable('landfall.byHand.seen'),
      recordable('landfall.downtime.began'),
      recordable('landfall.downtime.ended'),
      recordable('landfall.sync.paused'),
      recordable('landfall.sync.unpaused'),
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
    if (subject.workloadIds.length > 1 && isResult(event)) await shareOut(store, subject, event);
    else if (subject.workloadIds.length > 0) await append(store, subject, [event]);
    else if (isStepEvent(event)) await noteEnvironmentStep(store, subject.waveId, event);
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
    const { groupId } = (await workloadOf(store, { waveId, workloadId })).plan;
    const members = (await store.plans.group(plan, groupId)).tiers.flat();
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
  async effect({ store, now }, { waveId, groupId, status, instanceId, reason }, { operationId }) {
    const put = (wave: WaveDocument): WaveDocument | undefined => {
      const stands = wave.groups[groupId];
      // Late, of work that its group no longer waited for: others rely on how it has ended.
      if (stands?.instanceId === instanceId && endedGroups.has(stands.status) && !endedGroups.has(status))
        return undefined;
      const group = { status, instanceId, updatedAt: now(), ...(reason === undefined ? {} : { reason }) };
      return { ...wave, groups: { ...wave.groups, [groupId]: group } };
    };
    await store.waves.change(waveId, put, { operationId });
    const why = `group ${groupId} is ${status}`;
    // Once it has ended, the heads of all journals are anchored.
    if (endedGroups.has(status)) await anchorWave(store, { waveId, operationId, reason: why, at: now() });
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
    heard: z.string().optional().describe('id of the order to withdraw all of it that was heard, if one was'),
  }),
  output: z.union([Nothing, z.string()]).describe('an order that was not heard yet: then no end is written'),
  retry: patientRetry,
  async effect({ store, now }, { waveId, status, attempt, reason, ended, heard }, { operationId }) {
    let unheard: string | undefined;
    const put = ({ reason: _old, ...wave }: WaveDocument): WaveDocument | undefined => {
      const { withdrawal } = wave;
      unheard =
        ended && withdrawal?.attempt === attempt && withdrawal.orderId !== heard ? withdrawal.orderId : undefined;
      if (unheard !== undefined) return undefined;
      return {
        ...wave,
        status,
        // The attempt that runs, should two starts have counted up at once: orders and signals are addressed by it.
        attempt,
        ...(reason === undefined ? {} : { reason }),
        ...(ended ? { endedAt: now() } : {}),
      };
    };
    await store.waves.change(waveId, put, { operationId });
    if (unheard !== undefined) return unheard;
    if (ended) await anchorWave(store, { waveId, operationId, reason: `the wave is ${status}`, at: now() });
    return null;
  },
});
