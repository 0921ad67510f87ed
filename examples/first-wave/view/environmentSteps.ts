// Steps 1 to 3 as far as one can tell from outside: they belong to the environment, and the API shows them by what they
// bring about, the appliances and then the groups that begin.
import type { Snapshot } from '../../harness/watch.ts';
import { workloadsOf } from './changes.ts';

export type StepStatus = 'pending' | 'running' | 'completed' | 'failed' | 'undone' | 'unneeded';

/** The status of steps 1, 2 and 3. */
export function environmentSteps({ wave, appliances }: Snapshot): [StepStatus, StepStatus, StepStatus] {
  const agentless = workloadsOf(wave).some(({ method }) => method === 'agentless');
  const needed = (status: StepStatus): StepStatus => (agentless ? status : 'unneeded');
  if (wave.status === 'planned') return ['pending', 'pending', needed('pending')];
  const begun = wave.groups.some(({ status }) => status !== undefined && status !== 'planned');
  if (begun) return ['completed', 'completed', needed('completed')];
  const target = appliances.find(({ applianceId }) => applianceId.startsWith('target-'));
  const working: StepStatus = wave.attentions.some(({ workloadIds }) => workloadIds.length === 0)
    ? 'failed'
    : 'running';
  if (!target) return [working, 'pending', needed('pending')];
  if (target.status !== 'healthy') return ['completed', working, needed('pending')];
  return ['completed', 'completed', needed(working)];
}
