// What orchestrations need to know before they decide: small extracts of the plan and of a workload's state.
import { z } from 'zod';
import { defineActivity, patientRetry } from '../../../shared/durable/activity.ts';
import { few } from '../../../shared/few.ts';
import { idlePhases, Phase } from '../../../shared/lifecycle/phases.ts';
import { FailureBudget, OnFailure } from '../../../shared/model/failurePolicy.ts';
import type { StoredPlan } from '../../../shared/model/plan.ts';
import { CommitPolicy } from '../../../shared/model/settings.ts';
import { stepNames } from '../../../shared/model/steps.ts';
import { OnOverrun, Opening } from '../../../shared/model/window.ts';
import type { Store } from '../../../shared/store/contract.ts';
import { waveOf, workloadOf, workloadsOf } from '../../../shared/store/plans.ts';

export const phaseOf = defineActivity({
  name: 'phaseOf',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  output: z.enum(Phase),
  retry: patientRetry,
  async effect({ store }, workload) {
    return (await workloadOf(store, workload)).state.phase;
  },
});

/** Those of the workloads that may go back to replicating: they have a point to go on from. */
export const withPoint = defineActivity({
  name: 'withPoint',
  input: z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) }),
  output: z.array(z.string()),
  retry: patientRetry,
  async effect({ store }, { waveId, workloadIds }) {
    const workloads = await store.workloads.some(waveId, workloadIds);
    return workloads.filter(({ state }) => state.points.length > 0).map(({ workloadId }) => workloadId);
  },
});

/** Those of a group that replicate: once it has ended, these are what it leaves behind. */
export const stillReplicating = defineActivity({
  name: 'stillReplicating',
  input: z.strictObject({ waveId: z.string(), groupId: z.string() }),
  output: z.array(z.strictObject({ workloadId: z.string(), method: z.enum(['agent', 'agentless']) })),
  retry: patientRetry,
  async effect({ store }, { waveId, groupId }) {
    const { plan } = await waveOf(store, waveId);
    const workloads = await workloadsOf(store, waveId, await store.plans.group(plan, groupId));
    return workloads
      .filter(({ state }) => state.phase === Phase.replicating)
      .map((one) => ({ workloadId: one.workloadId, method: one.plan.method }));
  },
});

/** Who is in a group and has not committed yet; at most a hundred. */
const GroupOutline = z.strictObject({
  tiers: z.array(z.array(z.string())),
  methods: z.record(z.string(), z.enum(['agent', 'agentless'])),
  dependencies: z.record(z.string(), z.array(z.string())).describe('by workload: members that must serve before it'),
});

export type GroupOutline = z.infer<typeof GroupOutline>;

/** What a wave knows of a group. Only before 1.1 that is all of it: it grew with the wave, and each replay read it. */
export const GroupInWave = z.strictObject({
  groupId: z.string(),
  size: z.int().optional(),
  // Plans from before there was a choice have none.
  onFailure: OnFailure.default('hold'),
  ...GroupOutline.partial().shape,
});

export const WaveOutline = z.strictObject({
  environmentId: z.string(),
  begun: z.boolean().describe('an earlier attempt has left workloads that replicate'),
  workerSites: z.array(z.string()),
  windows: z.array(Opening),
  onOverrun: OnOverrun,
  commitPolicy: CommitPolicy,
  gatedSteps: z.array(z.enum(stepNames)).describe('steps with a gate before them'),
  failureBudget: FailureBudget.optional(),
  groups: z.array(GroupInWave),
});

const begunPhases = Object.values(Phase).filter((phase) => !idlePhases.has(phase) && phase !== Phase.committed);

/** The wave's shape without its weight: the groups that have not committed yet. */
export const outlineWave = defineActivity({
  name: 'outlineWave',
  input: z.strictObject({ waveId: z.string(), whole: z.boolean().default(true) }),
  output: WaveOutline,
  retry: patientRetry,
  async effect({ store }, { waveId, whole }) {
    const { plan, groups } = await waveOf(store, waveId);
    const left = plan.groups.filter(({ id }) => groups[id]?.status !== 'committed');
    return {
      begun: await store.workloads.anyInPhases(waveId, begunPhases),
      environmentId: plan.environment.id,
      workerSites: plan.workerSites,
      windows: plan.windows,
      onOverrun: plan.onOverrun,
      commitPolicy: plan.commitPolicy,
      gatedSteps: stepNames.filter((name) => plan.gates.before[name]?.required === true),
      failureBudget: plan.failureBudget,
      groups: await few(left, async ({ id: groupId, size, onFailure }) => ({
        ...{ groupId, size, onFailure },
        ...(whole ? await outlineOf(store, plan, groupId) : {}),
      })),
    };
  },
});

/** The members of a group that have not committed yet. */
export const outlineGroup = defineActivity({
  name: 'outlineGroup',
  input: z.strictObject({ waveId: z.string(), groupId: z.string() }),
  output: GroupOutline,
  retry: patientRetry,
  async effect({ store }, { waveId, groupId }) {
    return outlineOf(store, (await waveOf(store, waveId)).plan, groupId);
  },
});

async function outlineOf(store: Store, plan: StoredPlan, groupId: string): Promise<GroupOutline> {
  const group = await store.plans.group(plan, groupId);
  const workloads = await workloadsOf(store, plan.waveId, group);
  const committed = new Set(workloads.filter(({ state }) => state.phase === 'committed').map((one) => one.workloadId));
  const tiers = group.tiers.map((tier) => tier.filter((id) => !committed.has(id)));
  return {
    tiers: tiers.filter(({ length }) => length > 0),
    methods: Object.fromEntries(group.members.map(({ workloadId, method }) => [workloadId, method])),
    dependencies: Object.fromEntries(group.members.map(({ workloadId, dependsOn }) => [workloadId, dependsOn])),
  };
}
