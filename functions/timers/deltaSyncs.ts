// Keeps source and staging in step between the initial sync and cutover: queues the deltas that are due, then dispatches
// what the budgets allow, of every kind.
import type { Capabilities } from '../../shared/capabilities.ts';
import type { PlatformEvent } from '../../shared/lifecycle/events.ts';
import { deltaPhases, needsPerson, wantsDeltas } from '../../shared/lifecycle/phases.ts';
import type { Opening } from '../../shared/model/window.ts';
import { deltaDue } from '../../shared/policy/cadence.ts';
import { fellBehind, lagMs } from '../../shared/policy/lag.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';
import { dispatchDue, enqueueSync } from '../../shared/sync/dispatch.ts';

export async function deltaSyncs(capabilities: Pick<Capabilities, 'store' | 'bus' | 'now' | 'config'>): Promise<void> {
  const workloads = await capabilities.store.workloads.inPhases([...deltaPhases, ...needsPerson]);
  const windows = await windowsOf(capabilities.store, workloads);
  for (const workload of workloads) {
    const { waveId, workloadId, plan, state } = workload;
    if (deltaDue(workload, capabilities.now(), windows.get(waveId)))
      // From the version: two timers that see the same state ask for the same sync, and a later state for another one.
      await enqueueSync(capabilities, plan, 'delta', `deltas:${waveId}.${workloadId}:${state.version}`);
    await tellLag(capabilities, workload);
  }
  await dispatchDue(capabilities);
}

/** A source whose replication is further behind than its plan allows is told once for each point. */
async function tellLag({ store, now }: Pick<Capabilities, 'store' | 'now'>, workload: WorkloadDocument): Promise<void> {
  const { waveId, workloadId, plan, state } = workload;
  const { rpo } = plan.settings.sync;
  const last = state.points.at(-1);
  if (rpo === undefined || last === undefined || !wantsDeltas(state) || !fellBehind(state, rpo, now())) return;
  const event: PlatformEvent = {
    id: `behind.${last.syncId}`,
    time: now(),
    source: 'platform',
    type: 'landfall.sync.fellBehind',
    data: { lagSeconds: Math.round((lagMs(state.points, now()) ?? 0) / 1000), rpo },
  };
  await store.workloads.append(waveId, workloadId, [event]);
}

/** The windows of the waves whose cutover makes deltas come more often. */
async function windowsOf(
  store: Capabilities['store'],
  workloads: readonly WorkloadDocument[],
): Promise<Map<string, readonly Opening[]>> {
  const tightening = workloads.filter(({ plan }) => plan.settings.sync.tighten !== undefined);
  const windows = new Map<string, readonly Opening[]>();
  for (const waveId of new Set(tightening.map((one) => one.waveId)))
    windows.set(waveId, (await store.waves.get(waveId))?.plan.windows ?? []);
  return windows;
}
