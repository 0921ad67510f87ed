// Whom an order reaches: instance ids say wave, group, workload and attempt.
import type { GroupPlan } from '../model/plan.ts';

interface Running {
  waveId: string;
  attempt: number;
}

/** Every orchestration that may run for these workloads in the wave's current attempt, and their groups'. */
export function instancesOf(
  { waveId, attempt }: Running,
  groups: readonly Pick<GroupPlan, 'id'>[],
  workloadIds: readonly string[],
): string[] {
  return [
    ...groups.map(({ id }) => `group-${waveId}.${id}-${attempt}`),
    ...workloadIds.flatMap((id) => [`prepare-${waveId}.${id}-${attempt}`, `cutover-${waveId}.${id}-${attempt}`]),
  ];
}

/** Every orchestration that may run for a wave in its current attempt. */
export function allInstancesOf(
  wave: Running & { plan: { groups: readonly Pick<GroupPlan, 'id' | 'tiers'>[] } },
): string[] {
  const { groups } = wave.plan;
  const members = groups.flatMap(({ tiers }) => tiers.flat());
  return [`wave-${wave.waveId}`, ...instancesOf(wave, groups, members)];
}
