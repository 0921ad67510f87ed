// Keeps source and staging in step between the initial sync and cutover: queues the deltas that are due, then dispatches
// what the budgets allow, of every kind.
import type { Capabilities } from '../../shared/capabilities.ts';
import { deltaPhases, needsPerson } from '../../shared/lifecycle/phases.ts';
import { deltaDue } from '../../shared/policy/cadence.ts';
import { dispatchDue, enqueueSync } from '../../shared/sync/dispatch.ts';

export async function deltaSyncs(capabilities: Pick<Capabilities, 'store' | 'bus' | 'now' | 'config'>): Promise<void> {
  const workloads = await capabilities.store.workloads.inPhases([...deltaPhases, ...needsPerson]);
  for (const { waveId, workloadId, plan, state } of workloads)
    if (deltaDue(state, plan.settings.sync.cadence, capabilities.now()))
      // From the version: two timers that see the same state ask for the same sync, and a later state for another one.
      await enqueueSync(capabilities, plan, 'delta', `deltas:${waveId}.${workloadId}:${state.version}`);
  await dispatchDue(capabilities);
}
