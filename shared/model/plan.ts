// What a wave definition becomes once profiles and inventory are resolved: immutable and hashed.
import { z } from 'zod';
import { Decommission } from './decommission.ts';
import { Need } from './dependency.ts';
import { Environment } from './environment.ts';
import { FailureBudget, OnFailure } from './failurePolicy.ts';
import { Gates } from './gate.ts';
import { Id } from './ids.ts';
import { CommitPolicy, ResolvedSettings } from './settings.ts';
import { Source } from './source.ts';
import type { WorkloadDefinition } from './wave.ts';
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
  decommission: Decommission,
  failureBudget: FailureBudget.optional(),
  groups: z.array(GroupPlan),
  workloads: z.array(WorkloadPlan),
  hash: z.string(),
});
export type WavePlan = z.infer<typeof WavePlan>;

/** A workload as its group knows it: what is asked about it without reading its own document. */
const Member = WorkloadPlan.pick({ workloadId: true, method: true, applianceId: true, dependsOn: true }).extend({
  sourceId: Id,
});

/** A group with its members: at most 100 of them. */
export const PlannedGroup = GroupPlan.extend({ members: z.array(Member) });
export type PlannedGroup = z.infer<typeof PlannedGroup>;

/** A workload as it was written and what that came to. */
export interface PlannedWorkload {
  definition: WorkloadDefinition;
  plan: WorkloadPlan;
}

const PartId = z.string().describe('SHA-256 of what the part holds');

/** What a wave's document holds of a group; the rest lies in parts beside it. */
export const StoredGroup = GroupPlan.pick({ id: true, dependsOn: true, onFailure: true }).extend({
  needs: z.array(Need.omit({ pairs: true })).describe('the units that it needs anything of'),
  size: z.int().describe('how many workloads it has'),
  outline: PartId.describe('a `PlannedGroup`'),
  workloads: z.array(PartId).describe('lists of `PlannedWorkload`, in order'),
});
export type StoredGroup = z.infer<typeof StoredGroup>;

/** A plan as a wave's document holds it: as long as its groups are many, however many workloads they have. */
export const StoredPlan = WavePlan.omit({ groups: true, workloads: true }).extend({
  name: z.string().describe('the wave’s, for people'),
  definition: PartId.describe('what people wrote, without the workloads'),
  groups: z.array(StoredGroup),
  size: z.int().describe('how many workloads it has'),
  workerSites: z.array(z.string()).describe('where workloads are read without an agent'),
  besides: z.array(z.string()).describe('what the cutover identity must be allowed for the actions of its workloads'),
});
export type StoredPlan = z.infer<typeof StoredPlan>;

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
