// Keeps source and staging in step between the initial sync and cutover: queues the deltas that are due, then dispatches
// what the budgets allow, of every kind.
import type { Capabilities } from '../../shared/capabilities.ts';
import { deltaPhases, needsPerson } from '../../shared/lifecycle/phases.ts';
import { deltaDue } from '../../shared/policy/cadence.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';
import type { Opening } from '../../shared/model/window.ts';
import { dispatchDue, enqueueSync } from '../../shared/sync/dispatch.ts';

export async function deltaSyncs(capabilities: Pick<Capabilities, 'store' | 'bus' | 'now' | 'config'>): Promise<void> {
  const workloads = await capabilities.store.workloads.inPhases([...deltaPhases, ...needsPerson]);
  const windows = await windowsOf(capabilities.store, workloads);
  for (const workload of workloads) {
    const { waveId, workloadId, plan, state } = workload;
    if (deltaDue(workload, capabilities.now(), windows.get(waveId)))
      // From the version: two timers that see the same state ask for the same sync, and a later state for another one.
      await enqueueSync(capabilities, plan, 'delta', `deltas:${waveId}.${workloadId}:${state.version}`);
  }
  await dispatchDue(capabilities);
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
