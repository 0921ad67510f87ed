// How a sync gets from "somebody wants it" to its appliance: queued in the workload's state, admitted by budgets,
// dispatched as a recorded decision, then sent. Recording comes before sending: what a crash in between leaves unsent is
// silent, and the watchdog sends what is silent again.
import type { Capabilities } from '../capabilities.ts';
import { hashOf } from '../hash.ts';
import type { PlatformEvent } from '../lifecycle/events.ts';
import type { SyncKind } from '../lifecycle/state.ts';
import { stagingBlobName, type WorkloadPlan } from '../model/plan.ts';
import { paceFor } from '../policy/bandwidth.ts';
import type { WorkloadDocument } from '../store/documents.ts';
import { judgeQueue } from './queue.ts';

type Reach = Pick<Capabilities, 'store' | 'bus' | 'now' | 'config'>;
export type Queued = { queued: true; syncId: string } | { queued: false; inFlight: string };

/** The sync that an operation asks for: always the same one. */
export function syncIdOf(operationId: string): string {
  return `sync-${hashOf(operationId).slice(0, 24)}`;
}

/** Why a sync is wanted, for the journal. */
const why: Record<SyncKind, string> = {
  initial: 'nothing is replicated yet, or not enough to go on from',
  delta: 'its cadence asks for one',
  final: 'the cutover wants the last bytes',
};

/** Queues a sync for a workload. Repeatable; while another one is in flight, nothing is queued. */
export async function enqueueSync(
  { store, now }: Pick<Reach, 'store' | 'now'>,
  plan: WorkloadPlan,
  kind: SyncKind,
  operationId: string,
): Promise<Queued> {
  const syncId = syncIdOf(operationId);
  const event: PlatformEvent = {
    id: `${operationId}.queued`,
    time: now(),
    source: 'platform',
    operationId,
    type: 'landfall.sync.queued',
    data: { syncId, kind, syncOperationId: operationId, applianceId: plan.applianceId, reason: why[kind] },
  };
  const { illegal, state } = await store.workloads.append(plan.waveId, plan.workloadId, [event]);
  if (illegal.length === 0) return { queued: true, syncId };
  return { queued: false, inFlight: state.sync.syncId ?? 'unknown' };
}

/** Queues a sync and dispatches what the budgets allow at once, so that nobody waits for the next timer. */
export async function queueSync(
  capabilities: Reach,
  plan: WorkloadPlan,
  kind: SyncKind,
  operationId: string,
): Promise<Queued> {
  const queued = await enqueueSync(capabilities, plan, kind, operationId);
  if (queued.queued) await dispatchDue(capabilities);
  return queued;
}

/** Takes back whatever sync a workload has in flight and tells the appliance to stop it. Repeatable; deletes nothing. */
export async function withdrawSync(
  { store, bus, now }: Pick<Reach, 'store' | 'bus' | 'now'>,
  plan: WorkloadPlan,
  operationId: string,
  reason: string,
): Promise<void> {
  const { waveId, workloadId, applianceId } = plan;
  const sync = (await store.workloads.get(waveId, workloadId))?.state.sync;
  if (sync?.syncId === undefined || sync.kind === undefined) return;
  const { syncId, kind } = sync;
  const event: PlatformEvent = {
    // With the sync's id: one operation may find one sync in flight today and another one when it runs again.
    id: `${operationId}.withdrawn.${syncId}`,
    time: now(),
    source: 'platform',
    ...(sync.operationId === undefined ? {} : { operationId: sync.operationId }),
    type: 'landfall.sync.withdrawn',
    data: { syncId, kind, reason },
  };
  const { illegal } = await store.workloads.append(waveId, workloadId, [event]);
  if (illegal.length > 0 || sync.status === 'queued') return;
  await bus.publish({
    type: 'landfall.sync.cancel',
    operationId: `${operationId}.cancel.${syncId}`,
    aud: applianceId,
    data: { waveId, workloadId, syncId },
  });
}

/**
 * Dispatches queued syncs of all workloads as far as the budgets allow; returns how many. Two callers at once may admit
 * one or two syncs more than the budget: it protects an appliance from a flood, and is no lock.
 */
export async function dispatchDue(capabilities: Reach): Promise<number> {
  const { admitted } = await judgeQueue(capabilities);
  let dispatched = 0;
  for (const { workload } of admitted)
    if (await dispatch(capabilities, workload, 1, 'admitted by its budgets')) dispatched++;
  return dispatched;
}

/** Records the dispatch of a workload's sync and sends its command; false if the sync is no longer the one that was read. */
export async function dispatch(
  capabilities: Pick<Reach, 'store' | 'bus' | 'now'>,
  workload: WorkloadDocument,
  attempt: number,
  reason: string,
): Promise<boolean> {
  const { store, bus, now } = capabilities;
  const { waveId, workloadId, plan, state } = workload;
  const { syncId, kind, operationId } = state.sync;
  if (syncId === undefined || kind === undefined || operationId === undefined) return false;
  const event: PlatformEvent = {
    id: `${operationId}.dispatched.${attempt}`,
    time: now(),
    source: 'platform',
    operationId,
    type: 'landfall.sync.dispatched',
    data: { syncId, kind, attempt, reason },
  };
  const { illegal } = await store.workloads.append(waveId, workloadId, [event]);
  if (illegal.length > 0) return false;
  const previousRoot = state.points.at(-1)?.root;
  const disks = plan.source.disks.map(({ id, path, sizeBytes }) => ({
    diskId: id,
    path,
    sizeBytes,
    blobName: stagingBlobName(plan, id),
  }));
  const { verify } = plan.settings.sync;
  const pace = paceFor(plan, await store.environments.get(plan.environmentId), now());
  await bus.publish(
    {
      type: 'landfall.sync.start',
      operationId,
      aud: plan.applianceId,
      data: {
        waveId,
        workloadId,
        syncId,
        kind,
        disks,
        snapshot: plan.source.snapshot,
        ...(plan.source.quiesce === undefined ? {} : { quiesce: plan.source.quiesce }),
        verify,
        ...(pace === undefined ? {} : { pace }),
        ...(previousRoot === undefined ? {} : { previousRoot }),
      },
    },
    { attempt },
  );
  return true;
}
