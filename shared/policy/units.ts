// The units that a dependency may name, in definitions and in plans alike.
import type { Need } from '../model/dependency.ts';
import type { WavePlan } from '../model/plan.ts';

/** A wave as dependencies see it: its groups with their workloads. */
export interface Shape {
  waveId: string;
  groups: { id: string; workloads: { id: string; source: string }[] }[];
}

/** A stored wave as dependencies see it. */
export function shapeOf({ waveId, groups, workloads }: WavePlan): Shape {
  return {
    waveId,
    groups: groups.map(({ id }) => ({
      id,
      workloads: workloads
        .filter(({ groupId }) => groupId === id)
        .map(({ workloadId, source }) => ({ id: workloadId, source: source.id })),
    })),
  };
}

/** Groups of a wave that must have committed, at least in part, before a need is met. */
export function groupsOf({ groupId, pairs }: Need, { groups }: Shape): string[] {
  if (groupId !== undefined) return [groupId];
  const needed = pairs?.map(({ needs }) => needs);
  return groups
    .filter(({ workloads }) => needed === undefined || workloads.some(({ id }) => needed.includes(id)))
    .map(({ id }) => id);
}

/** A unit as people read it. */
export function nameOf({ waveId, groupId }: Pick<Need, 'waveId' | 'groupId'>): string {
  return groupId === undefined ? `wave "${waveId}"` : `group "${groupId}" of wave "${waveId}"`;
}

/** What a stored group needs; plans from before there were kinds name groups of their wave only. */
export function needsOf(plan: Pick<WavePlan, 'waveId'>, group: WavePlan['groups'][number]): readonly Need[] {
  const stored: Partial<typeof group> = group;
  return stored.needs ?? group.dependsOn.map((groupId) => ({ waveId: plan.waveId, groupId }));
}
