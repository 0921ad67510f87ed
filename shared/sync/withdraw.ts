import type { Capabilities } from '../capabilities.ts';
import type { WorkloadPlan } from '../model/plan.ts';

/** Takes the sync in flight back, if there is one: records it and tells the appliance to stop. What was copied stays. */
export async function withdrawSync(
  { store, bus, now }: Pick<Capabilities, 'store' | 'bus' | 'now'>,
  { waveId, workloadId, applianceId }: WorkloadPlan,
  reason: string,
): Promise<void> {
  const workload = await store.workloads.get(waveId, workloadId);
  const { status, syncId, kind, operationId } = workload?.state.sync ?? { status: 'idle' };
  if (status === 'idle' || status === 'paused' || syncId === undefined || kind === undefined) return;
  await store.workloads.append(waveId, workloadId, [
    {
      id: `${syncId}.withdrawn`,
      time: now(),
      source: 'platform',
      operationId,
      type: 'landfall.sync.withdrawn',
      data: { syncId, kind, reason },
    },
  ]);
  if (status === 'queued') return;
  const cancelId = `${operationId ?? syncId}:cancel`;
  await bus.publish({
    type: 'landfall.sync.cancel',
    operationId: cancelId,
    aud: applianceId,
    data: { waveId, workloadId, syncId },
  });
}
