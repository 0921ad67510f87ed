// What orchestrations need to know before they decide: small extracts of the plan and of a workload's state.
import { z } from 'zod';
import { defineActivity, patientRetry } from '../../../shared/durable/activity.ts';
import { Phase } from '../../../shared/lifecycle/phases.ts';
import { FailureBudget, OnFailure } from '../../../shared/model/failurePolicy.ts';
import type { WavePlan } from '../../../shared/model/plan.ts';
import { CommitPolicy } from '../../../shared/model/settings.ts';
import { stepNames } from '../../../shared/model/steps.ts';
import { OnOverrun, Opening } from '../../../shared/model/window.ts';
import { waveOf, workloadOf } from '../../../shared/store/plans.ts';

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
    const workloads = await store.workloads.list(waveId);
    const able = new Set(workloads.filter(({ state }) => state.points.length > 0).map(({ workloadId }) => workloadId));
    return workloadIds.filter((workloadId) => able.has(workloadId));
  },
});

export const GroupOutline = z.strictObject({
  groupId: z.string(),
  tiers: z.array(z.array(z.string())),
  methods: z.record(z.string(), z.enum(['agent', 'agentless'])),
  dependencies: z.record(z.string(), z.array(z.string())).describe('by workload: members that must serve before it'),
  // Plans from before there was a choice have none.
  onFailure: OnFailure.default('hold'),
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
  groups: z.array(GroupOutline),
});

/** The wave's shape without its weight: the groups, or those of their workloads, that have not committed yet. */
export const outlineWave = defineActivity({
  name: 'outlineWave',
  input: z.strictObject({ waveId: z.string() }),
  output: WaveOutline,
  retry: patientRetry,
  async effect({ store }, { waveId }) {
    const { plan, groups } = await waveOf(store, waveId);
    const agentless = plan.workloads.filter(({ method }) => method === 'agentless');
    const idle: ReadonlySet<Phase> = new Set([Phase.registered, Phase.withdrawn, Phase.committed]);
    const workloads = await store.workloads.list(waveId);
    const committed = new Set(
      workloads.filter(({ state }) => state.phase === 'committed').map((one) => one.workloadId),
    );
    const left = plan.groups.flatMap((group) => {
      const tiers = group.tiers
        .map((tier) => tier.filter((id) => !committed.has(id)))
        .filter((tier) => tier.length > 0);
      // A group that has nobody left, but was never said to have committed, says so.
      return tiers.length === 0 && groups[group.id]?.status === 'committed' ? [] : [{ ...group, tiers }];
    });
    return {
      begun: workloads.some(({ state }) => !idle.has(state.phase)),
      environmentId: plan.environment.id,
      workerSites: [...new Set(agentless.map(({ source }) => source.site))],
      windows: plan.windows,
      onOverrun: plan.onOverrun,
      commitPolicy: plan.commitPolicy,
      gatedSteps: stepNames.filter((name) => plan.gates.before[name]?.required === true),
      failureBudget: plan.failureBudget,
      groups: left.map(({ id, tiers, onFailure }) => ({
        groupId: id,
        tiers,
        onFailure,
        methods: Object.fromEntries(membersOf(plan, id).map(({ workloadId, method }) => [workloadId, method])),
        dependencies: Object.fromEntries(
          membersOf(plan, id).map(({ workloadId, dependsOn }) => [workloadId, dependsOn]),
        ),
      })),
    };
  },
});

function membersOf({ workloads }: WavePlan, group: string): WavePlan['workloads'] {
  return workloads.filter(({ groupId }) => groupId === group);
}
