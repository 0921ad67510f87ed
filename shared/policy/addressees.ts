// Whom an order reaches: instance ids say wave, group, workload and attempt.
import { type ControlSignal, latestRest, type Pause } from '../model/control.ts';
import type { GroupPlan } from '../model/plan.ts';

/** The orchestrations that an order is for: some, or whatever runs of an attempt of the wave. */
export type Addressees = readonly string[] | { readonly allOfAttempt: number };

/** Whether an order is for an orchestration of the attempt that it was given in: when it was given tells attempts apart. */
export function isFor({ instanceIds }: { instanceIds: Addressees }, instanceId: string): boolean {
  return 'allOfAttempt' in instanceIds || instanceIds.includes(instanceId);
}

/** The pause that stands for an orchestration, from the orders that the wave was given since it was started. */
export function pauseOf(
  orders: readonly { instanceIds: Addressees; signal: ControlSignal; at: string }[],
  startedAt: string,
  instanceId: string,
  workloadId?: string,
): Pause | undefined {
  const heard = orders
    .filter((order) => order.at >= startedAt && isFor(order, instanceId))
    .map(({ signal }) => signal)
    .filter(
      (signal) =>
        !('workloadIds' in signal) ||
        signal.workloadIds === undefined ||
        (workloadId !== undefined && signal.workloadIds.includes(workloadId)),
    );
  const latest = latestRest(heard);
  return latest?.action === 'pause' ? latest : undefined;
}

/**
 * The time of a wave's next order: later than every one before, for the latest of pause and resume decides; and not before
 * the wave's start, whatever the clock here says, for older ones were for earlier attempts.
 */
export function orderTime(orders: readonly { at: string }[], startedAt: string | undefined, now: string): string {
  const last = Math.max(...orders.map(({ at }) => Date.parse(at)), 0);
  const start = startedAt === undefined ? 0 : Date.parse(startedAt);
  return new Date(Math.max(Date.parse(now), start, last + 1)).toISOString();
}

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

/** Every orchestration that may run for a wave in an attempt. */
export function allInstancesOf(wave: Running, groups: readonly Pick<GroupPlan, 'id' | 'tiers'>[]): string[] {
  const members = groups.flatMap(({ tiers }) => tiers.flat());
  return [`wave-${wave.waveId}`, ...instancesOf(wave, groups, members)];
}
