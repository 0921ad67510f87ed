// A workload's way from one definition to another, before anything is done about it.
import type { WorkloadState } from '../lifecycle/state.ts';
import type { WaveDefinition, WorkloadDefinition } from '../model/wave.ts';
import type { Problem } from './problems.ts';

/** Why a workload can't go to another wave any more, with the way out; `undefined` if it can. */
export function whyItStays({ phase, points }: Pick<WorkloadState, 'phase' | 'points'>): string | undefined {
  if (phase !== 'registered' && phase !== 'withdrawn')
    return `it is ${phase}: a workload moves before its wave has begun with it, or after it was withdrawn`;
  if (points.length > 0)
    return `it has been replicated: its ${points.length} points belong to this wave. Post it in another wave, where it is replicated anew, and leave it out here`;
  return undefined;
}

/** Both definitions after the move, or what stands against it. A group that has nobody left goes, too. */
export function moveWorkload(
  source: WaveDefinition,
  target: WaveDefinition,
  { workloadId, group: groupId, dependsOn }: { workloadId: string; group: string; dependsOn?: string[] | undefined },
): { source: WaveDefinition; target: WaveDefinition } | { problems: Problem[] } {
  const home = source.groups.find(({ workloads }) => workloads.some(({ id }) => id === workloadId));
  const workload = home?.workloads.find(({ id }) => id === workloadId);
  const group = target.groups.find(({ id }) => id === groupId);
  if (home === undefined || workload === undefined || group === undefined)
    return { problems: [noGroup(target, groupId)] };
  const left = source.groups
    .map((each) =>
      each === home ? { ...each, workloads: each.workloads.filter(({ id }) => id !== workloadId) } : each,
    )
    .filter(({ workloads }) => workloads.length > 0);
  if (left.length === 0) return { problems: [lastOne(source, workloadId)] };
  const moved: WorkloadDefinition = { ...workload, dependsOn: dependsOn ?? workload.dependsOn };
  return {
    source: { ...source, groups: left },
    target: {
      ...target,
      groups: target.groups.map((each) => (each === group ? { ...each, workloads: [...each.workloads, moved] } : each)),
    },
  };
}

const noGroup = (target: WaveDefinition, groupId: string): Problem => ({
  path: 'group',
  value: groupId,
  message: `there is no group "${groupId}" in wave "${target.id}"`,
  fix: `name one of: ${target.groups.map(({ id }) => id).join(', ')}`,
});

const lastOne = (source: WaveDefinition, workloadId: string): Problem => ({
  path: 'to',
  value: workloadId,
  message: `"${workloadId}" is the last workload of wave "${source.id}", and a wave without any cannot be`,
  fix: `cancel wave "${source.id}" and put the workload into the other wave by a new version`,
});
