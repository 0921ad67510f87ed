import { wantsDeltas } from '../lifecycle/phases.ts';
import type { WorkloadState } from '../lifecycle/state.ts';
import { durationMs, plusMs } from './duration.ts';

/** When the next delta is due: a cadence after the end of the last sync, failed ones included; undefined before the first point. */
export function nextDeltaAt(state: Pick<WorkloadState, 'points' | 'sync'>, cadence: string): string | undefined {
  const completed = state.points.at(-1)?.completedAt;
  if (completed === undefined) return undefined;
  const failed = state.sync.lastFailure?.at;
  const ended = failed !== undefined && Date.parse(failed) > Date.parse(completed) ? failed : completed;
  return plusMs(ended, durationMs(cadence));
}

/** Whether the timer starts a delta now: the phase wants deltas, nothing is in flight or paused, and the cadence has passed. */
export function deltaDue(
  state: Pick<WorkloadState, 'phase' | 'remembered' | 'points' | 'sync'>,
  cadence: string,
  now: string,
): boolean {
  if (!wantsDeltas(state) || state.sync.status !== 'idle') return false;
  const next = nextDeltaAt(state, cadence);
  return next !== undefined && Date.parse(next) <= Date.parse(now);
}
