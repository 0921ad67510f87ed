// Which clones of UAT have outlived their time. What a wave's orchestration holds is never asked about here: it removes its
// clones itself. Only what carries our tags, says that it is a clone, and bears a clone's name is a clone.
import type { WavePlan, WorkloadPlan } from '../model/plan.ts';

/** A resource in Azure, as far as its removal is decided by it. */
export interface Owned {
  name: string;
  tags: Readonly<Record<string, string>>;
}

/** The clones of one group that may go: all parts of each workload's clone, and the security group with the last of them. */
export interface Expired {
  groupId: string;
  workloadIds: string[];
  /** The names of what is there. */
  parts: string[];
}

/** How clones are called: the parts of a workload's, and the security group of a group's. */
export interface CloneNames {
  parts(plan: WorkloadPlan): string[];
  securityGroup(waveId: string, groupId: string): string;
}

/** The clones of a wave whose time is over. A clone with a part that is younger stays whole. */
export function expiredClones(
  owned: readonly Owned[],
  plan: Pick<WavePlan, 'waveId' | 'groups' | 'workloads'>,
  names: CloneNames,
  now: string,
): Expired[] {
  const ours = owned.filter(
    ({ tags }) =>
      tags['landfall:owner'] === 'landfall' &&
      tags['landfall:purpose'] === 'test' &&
      tags['landfall:wave'] === plan.waveId,
  );
  const isOver = ({ tags }: Owned): boolean => Date.parse(tags['landfall:expires'] ?? '') <= Date.parse(now);
  return plan.groups.flatMap(({ id: groupId, tiers }): Expired[] => {
    const clones = tiers.flat().flatMap((workloadId) => {
      const workload = plan.workloads.find((each) => each.workloadId === workloadId);
      if (workload === undefined) return [];
      const own = names.parts(workload);
      const parts = ours.filter(({ name, tags }) => tags['landfall:workload'] === workloadId && own.includes(name));
      return parts.length === 0 ? [] : [{ workloadId, parts, over: parts.every(isOver) }];
    });
    const around = ours.filter(
      ({ name, tags }) =>
        tags['landfall:workload'] === groupId &&
        name === names.securityGroup(plan.waveId, groupId) &&
        isOver({ name, tags }),
    );
    const over = clones.filter((clone) => clone.over);
    const last = over.length === clones.length;
    const parts = [...over.flatMap((clone) => clone.parts), ...(last ? around : [])].map(({ name }) => name);
    return parts.length === 0 ? [] : [{ groupId, workloadIds: over.map(({ workloadId }) => workloadId), parts }];
  });
}
