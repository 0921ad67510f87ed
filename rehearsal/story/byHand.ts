// What somebody does by hand where an undo failed: what the question's list says, and nothing else. A list that leaves
// something out, or says it in words that nobody could follow, is found.
import type { WorkloadPlan } from '../../shared/model/plan.ts';
import type { AttentionDocument } from '../../shared/store/documents.ts';
import type { World } from '../world/world.ts';
import { sentences } from './sentences.ts';

const unlessInUse = /, unless another wave has begun in the environment (\S+)$/;

/** Does what a question lists, line by line. */
export async function doByHand(
  world: World,
  { waveId, workloadIds = [], todo = [] }: AttentionDocument,
): Promise<void> {
  const plans = world.plans(waveId);
  const planOf = (workloadId: string): WorkloadPlan => {
    const plan = plans.find((each) => each.workloadId === workloadId);
    if (plan === undefined) throw new Error(`no workload ${workloadId} in ${waveId}`);
    return plan;
  };
  const hands = { world, plans, planOf, asked: plans.filter(({ workloadId }) => workloadIds.includes(workloadId)) };
  for (const said of todo.flatMap((sentence) => sentence.split('; '))) {
    const [, environmentId] = unlessInUse.exec(said) ?? [];
    const { environments } = world.capabilities.store;
    if (environmentId !== undefined && (await environments.holders(environmentId)).length > 0) continue;
    const line = said.replace(unlessInUse, '');
    const [says, does] = sentences.find(([pattern]) => pattern.test(line)) ?? [];
    if (says === undefined || does === undefined) world.monitor.found('what is left to do can be done', line);
    else await does(hands, ...(says.exec(line) ?? []).slice(1));
  }
}
