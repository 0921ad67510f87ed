// What a wave definition becomes once profiles and inventory are resolved: immutable and hashed.
import { z } from 'zod';
import { Need } from './dependency.ts';
import { Environment } from './environment.ts';
import { FailureBudget, OnFailure } from './failurePolicy.ts';
import { Gates } from './gate.ts';
import { Id } from './ids.ts';
import { CommitPolicy, ResolvedSettings } from './settings.ts';
import { Source } from './source.ts';
import { Blackout, OnOverrun, Opening } from './window.ts';

export const WorkloadPlan = z.strictObject({
  waveId: Id,
  groupId: Id,
  workloadId: Id,
  environmentId: Id,
  method: z.enum(['agent', 'agentless']),
  applianceId: Id.describe('who reads its disks: its own agent, or the worker of its site'),
  dependsOn: z.array(Id),
  source: Source,
  target: z.strictObject({ name: z.string(), privateAddress: z.ipv4().optional() }),
  settings: ResolvedSettings,
  hash: z.string().describe('SHA-256 of everything above, canonical JSON'),
});
export type WorkloadPlan = z.infer<typeof WorkloadPlan>;

export const GroupPlan = z.strictObject({
  id: Id,
  dependsOn: z.array(Id).describe('groups of this wave that it waits for, wholly or for single workloads'),
  needs: z.array(Need).describe('what must have committed before it cuts over'),
  tiers: z.array(z.array(Id)).describe('workload ids in start order; stop order is the reverse'),
  onFailure: OnFailure,
});
export type GroupPlan = z.infer<typeof GroupPlan>;

export const WavePlan = z.strictObject({
  waveId: Id,
  environment: Environment,
  windows: z.array(Opening).min(1).max(100).describe('when cutover may run: ascending, disjoint'),
  zone: z.string().describe('the windows’ zone, for people: everything above is in UTC'),
  blackouts: z.array(Blackout).max(500).describe('what was cut out of the windows'),
  onOverrun: OnOverrun,
  gates: Gates,
  commitPolicy: CommitPolicy,
  failureBudget: FailureBudget.optional(),
  groups: z.array(GroupPlan),
  workloads: z.array(WorkloadPlan),
  hash: z.string(),
});
export type WavePlan = z.infer<typeof WavePlan>;

/** The appliance id of a plan's parts: deterministic, so that a repeated step finds the same one. */
export const applianceIds = {
  target: (environmentId: string) => `target-${environmentId}`,
  worker: (siteId: string) => `worker-${siteId}`,
  agent: (sourceId: string) => `agent-${sourceId}`,
};

/** The staging page blob of one disk: the same from the first sync to the import. */
export function stagingBlobName(plan: Pick<WorkloadPlan, 'waveId' | 'workloadId'>, diskId: string): string {
  return `${plan.waveId}/${plan.workloadId}/${diskId}.vhd`;
}
