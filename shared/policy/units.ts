// The units that a dependency may name, in definitions and in plans alike.
import type { Need } from '../model/dependency.ts';
import type { PlannedGroup, WavePlan } from '../model/plan.ts';

/** A wave as dependencies see it: its groups with their workloads. */
export interface Shape {
  waveId: string;
  groups: { id: string; workloads: { id: string; source: string }[] }[];
}

/** A stored wave as dependencies see it. */
export interface PlannedShape extends Shape {
  groups: (Shape['groups'][number] & Pick<PlannedGroup, 'needs'>)[];
}

export function shapeOf(waveId: string, groups: readonly PlannedGroup[]): PlannedShape {
  return {
    waveId,
    groups: groups.map(({ id, needs, members }) => ({
      ...{ id, needs },
      workloads: members.map(({ workloadId, sourceId }) => ({ id: workloadId, source: sourceId })),
    })),
  };
}

/** A plan that is not stored yet, in the same way. */
export function shapeOfPlan({ waveId, groups, workloads }: WavePlan): PlannedShape {
  const members = Map.groupBy(workloads, ({ groupId }) => groupId);
  return {
    waveId,
    groups: groups.map(({ id, needs }) => ({
      ...{ id, needs },
      workloads: (members.get(id) ?? []).map(({ workloadId, source }) => ({ id: workloadId, source: source.id })),
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
