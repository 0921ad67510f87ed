// What comes after a commit: the day on which people are asked, their answer, and what it deletes.
import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../shared/durable/activity.ts';
import { terminal } from '../../shared/errors.ts';
import type { PlatformEvent } from '../../shared/lifecycle/events.ts';
import { stagingBlobName } from '../../shared/model/plan.ts';
import { dueOf, nextDue, stagedIn } from '../../shared/policy/decommission.ts';
import { durationMs, plusMs } from '../../shared/policy/duration.ts';
import type { Store } from '../../shared/store/contract.ts';
import { environmentOf, membersOf, waveOf, workloadOf } from '../../shared/store/plans.ts';
import { append, Subject } from '../journal/activities.ts';

/** Writes when people are asked about these workloads into the journal of each. */
async function schedule(
  store: Store,
  subject: z.infer<typeof Subject>,
  { operationId, dueAt, reason, now }: { operationId: string; dueAt: string; reason: string; now: string },
): Promise<void> {
  const event: PlatformEvent = {
    ...{ id: `${operationId}.due`, time: now, source: 'platform', operationId },
    type: 'landfall.decommission.scheduled',
    data: { dueAt, reason },
  };
  await append(store, subject, [event]);
}

/** Leaves in the wave when the next question about a group is due; `over`: its question is no longer asked. */
async function settle(store: Store, waveId: string, groupId: string, operationId: string, over?: string) {
  const dueAt = nextDue(await membersOf(store, await waveOf(store, waveId), groupId));
  await store.waves.change(
    waveId,
    ({ decommission, ...wave }) => {
      const { [groupId]: before, ...others } = decommission ?? {};
      const asking = before?.asking === over ? undefined : before?.asking;
      const standing = { ...(dueAt === undefined ? {} : { dueAt }), ...(asking === undefined ? {} : { asking }) };
      const groups = Object.keys(standing).length === 0 ? others : { ...others, [groupId]: standing };
      return Object.keys(groups).length === 0 ? wave : { ...wave, decommission: groups };
    },
    { operationId },
  );
}

/** After a commit: sources and points are kept until people are asked, and then until they have agreed. */
export const scheduleDecommission = defineActivity({
  name: 'scheduleDecommission',
  input: Subject.extend({ groupId: z.string(), operationId: z.string() }),
  output: z.strictObject({ dueAt: z.string() }),
  retry: patientRetry,
  async effect({ store, now }, { groupId, operationId, ...subject }) {
    const { plan } = await waveOf(store, subject.waveId);
    // The same day for a repeated call: the event that is there already says it.
    const [first = ''] = subject.workloadIds;
    const known = (await workloadOf(store, { ...subject, workloadId: first })).state.decommission?.dueAt;
    const { after } = plan.decommission;
    const dueAt = known ?? plusMs(now(), durationMs(after));
    const reason = `committed; sources and staged points are kept for ${after}`;
    await schedule(store, subject, { operationId, dueAt, reason, now: now() });
    await settle(store, subject.waveId, groupId, operationId);
    return { dueAt };
  },
});

/** About whom of a group people are asked now, and what. */
export const outlineDecommission = defineActivity({
  name: 'outlineDecommission',
  input: z.strictObject({ waveId: z.string(), groupId: z.string() }),
  output: z.strictObject({ workloadIds: z.array(z.string()), question: z.string() }),
  retry: patientRetry,
  async effect({ store, now }, { waveId, groupId }) {
    const members = await membersOf(store, await waveOf(store, waveId), groupId);
    const workloadIds = dueOf(members, now());
    const due = members.filter(({ workloadId }) => workloadIds.includes(workloadId));
    const sources = due.map(({ plan }) => plan.source.id).join(', ');
    const megabytes = Math.ceil(stagedIn(due).bytesWritten / 1_000_000);
    const question = `Delete the staged points of ${workloadIds.join(', ')} for good (${megabytes} MB were written)? The sources of ${groupId}, ${sources}, may then be removed by hand. Without an approval everything is kept.`;
    return { workloadIds, question: question.slice(0, 4000) };
  },
});

/** Deletes the staging blobs of one workload with all their snapshots; only what people have approved, and only after a commit. */
export const deletePoints = defineActivity({
  name: 'deletePoints',
  changes: 'staged points',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), gateId: z.string() }),
  output: Nothing,
  async effect({ store, azure }, { gateId, ...workload }, { changed }) {
    const { plan, state } = await workloadOf(store, workload);
    const gate = await store.gates.get(workload.waveId, gateId);
    const isApproved = gate?.name === 'decommission' && gate.approved?.includes(plan.workloadId) === true;
    if (!isApproved || state.phase !== 'committed')
      throw terminal(
        'conflict',
        `Nobody has approved that the points of ${plan.workloadId} are deleted.`,
        'Ask at the gate again; nothing has been deleted.',
      );
    const environment = await environmentOf(store, plan.environmentId);
    for (const { id } of plan.source.disks) {
      const blob = stagingBlobName(plan, id);
      await azure.staging.removeBlob(environment, blob);
      changed({ verb: 'deleted', object: `blob ${blob} with its snapshots`, after: 'absent' });
    }
    return null;
  },
});

/** Writes down that a workload's points are gone, by whose word, and that its source may go. */
export const recordDeleted = defineActivity({
  name: 'recordDeleted',
  input: Subject.extend({ operationId: z.string(), by: z.array(z.string()), reason: z.string() }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { operationId, by, reason, ...subject }) {
    const event: PlatformEvent = {
      ...{ id: `${operationId}.deleted`, time: now(), source: 'platform', operationId },
      type: 'landfall.points.deleted',
      data: { by, reason },
    };
    await append(store, subject, [event]);
    return null;
  },
});

/** Ends one question: who was not approved is asked about again later; the wave says which sources may be removed by hand. */
export const settleDecommission = defineActivity({
  name: 'settleDecommission',
  input: z.strictObject({
    ...{ waveId: z.string(), groupId: z.string(), operationId: z.string(), instanceId: z.string() },
    ...{ deleted: z.array(z.string()), kept: z.array(z.string()), reason: z.string() },
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, groupId, operationId, instanceId, deleted, kept, reason }) {
    const wave = await waveOf(store, waveId);
    const dueAt = plusMs(now(), durationMs(wave.plan.decommission.after));
    if (kept.length > 0)
      await schedule(store, { waveId, workloadIds: kept }, { operationId, dueAt, reason, now: now() });
    await settle(store, waveId, groupId, operationId, instanceId);
    const gone = (await membersOf(store, wave, groupId)).filter(({ workloadId }) => deleted.includes(workloadId));
    const data = { sources: gone.map(({ plan }) => plan.source.id) };
    const type = 'landfall.sources.removable';
    const entry = { id: `${operationId}.removable`, time: now(), source: 'platform', type, operationId, data };
    if (gone.length > 0) await store.journal.append(waveId, [entry]);
    return null;
  },
});
