import type { Point, WorkloadState } from '../lifecycle/state.ts';
import { durationMs, msBetween } from './duration.ts';

/** How old the newest replicated data is: a point holds what the source had when its sync started. */
export function lagMs(points: readonly Pick<Point, 'startedAt'>[], now: string): number | undefined {
  const last = points.at(-1);
  return last === undefined ? undefined : Math.max(0, msBetween(last.startedAt, now));
}

/** Whether replication has just fallen behind its plan: further than `rpo`, and nobody has been told since the last point. */
export function fellBehind(
  { points, behind }: Pick<WorkloadState, 'points' | 'behind'>,
  rpo: string | undefined,
  now: string,
): boolean {
  const lag = lagMs(points, now);
  return rpo !== undefined && behind === undefined && lag !== undefined && lag > durationMs(rpo);
}

/** Whether replication is close enough behind the source for services to be stopped. */
export function closeEnough(points: readonly Pick<Point, 'startedAt'>[], maxLag: string, now: string): boolean {
  const lag = lagMs(points, now);
  return lag !== undefined && lag <= durationMs(maxLag);
}
