// What follows from the plan that a wave's document names: every workload is registered with its own, and those that a
// version leaves out are told so. Whoever finds it undone does it; before, the wave neither starts nor changes.
import { terminal } from '../errors.ts';
import { few } from '../few.ts';
import type { WorkloadPlan } from '../model/plan.ts';
import type { Store } from '../store/contract.ts';
import type { WaveDocument, WorkloadDocument } from '../store/documents.ts';
import { versionOf } from './version.ts';

/** Gives every workload its plan of the version that the wave has; repeatable, and harmless if a newer one has come. */
export async function settle(store: Store, waveId: string): Promise<WaveDocument> {
  const wave = await store.waves.get(waveId);
  if (wave === undefined) throw terminal('notFound', `There is no wave "${waveId}".`, 'Check its name.');
  if (wave.settled) return wave;
  const { version } = versionOf(wave);
  const left = new Map((await store.workloads.list(waveId)).map((workload) => [workload.workloadId, workload]));
  for (const group of wave.plan.groups)
    await few(await store.plans.workloads(wave.plan, group), async ({ plan }) => {
      // A first version has no workloads from before; a later one may take back somebody whom another has left out.
      const known =
        left.get(plan.workloadId) ?? (version === 1 ? undefined : await store.workloads.get(waveId, plan.workloadId));
      await place(store, wave, plan, known);
      left.delete(plan.workloadId);
    });
  await few([...left.keys()], (workloadId) => leaveOut(store, wave, workloadId));
  return store.waves.change(waveId, (current) =>
    versionOf(current).version === version && !current.settled ? { ...current, settled: true } : undefined,
  );
}

async function place(
  store: Store,
  wave: WaveDocument,
  plan: WorkloadPlan,
  known: WorkloadDocument | undefined,
): Promise<void> {
  const { version, at, by, reason = 'posted' } = versionOf(wave);
  const { waveId, workloadId, groupId, hash: planHash } = plan;
  if (known === undefined) return store.workloads.register(plan, at, by, version === 1 ? undefined : version);
  if (known.state.planHash === planHash && known.state.phase !== 'unregistered') return;
  const type = 'landfall.workload.replanned';
  const data = { groupId, planHash, version, reason };
  const event = { id: `replanned.${version}`, type, time: at, source: `user:${by}`, data } as const;
  await store.workloads.append(waveId, workloadId, [event], plan);
}

async function leaveOut(store: Store, wave: WaveDocument, workloadId: string): Promise<void> {
  const { version, at, by, reason = 'posted', move } = versionOf(wave);
  const { waveId } = wave;
  const moved = move?.workloadId === workloadId && move.from === waveId;
  const type = 'landfall.workload.unregistered';
  const data = { version, reason, ...(moved ? { movedTo: move.to } : {}) };
  const event = { id: `unregistered.${version}`, type, time: at, source: `user:${by}`, data } as const;
  await store.workloads.append(waveId, workloadId, [event]);
}
