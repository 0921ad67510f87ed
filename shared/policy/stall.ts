// What the watchdog does about silence: of a sync, of an appliance.
import type { SyncRegion } from '../lifecycle/state.ts';
import { durationMs, msBetween } from './duration.ts';

/** After so many dispatches a sync is given up and its workload asks for help. */
export const dispatchesAtMost = 20;
const heartbeatsMissed = 3;

export type SyncVerdict =
  | { what: 'leave' }
  | { what: 'stalled'; silentSeconds: number }
  | { what: 'dispatch'; attempt: number }
  | { what: 'withdraw'; reason: string };

/**
 * Judges a sync that was dispatched. Silent for `stallAfter`: stalled. Stalled, and its appliance is alive: dispatched
 * again, which counts as being heard, so that this happens at most once per `stallAfter`.
 */
export function judgeSync(sync: SyncRegion, stallAfter: string, applianceAlive: boolean, now: string): SyncVerdict {
  if (sync.status === 'running') {
    const silentMs = msBetween(sync.heardAt ?? sync.dispatchedAt ?? now, now);
    return silentMs >= durationMs(stallAfter) ? { what: 'stalled', silentSeconds: silentMs / 1000 } : { what: 'leave' };
  }
  if (sync.status !== 'stalled' || !applianceAlive) return { what: 'leave' };
  if (sync.attempt >= dispatchesAtMost)
    return { what: 'withdraw', reason: `it was dispatched ${sync.attempt} times and never came to an end` };
  return { what: 'dispatch', attempt: sync.attempt + 1 };
}

/** Whether an appliance has missed three heartbeats. */
export function isSilent(heardAt: string | undefined, heartbeatSeconds: number, now: string): boolean {
  return heardAt === undefined || msBetween(heardAt, now) > heartbeatsMissed * heartbeatSeconds * 1000;
}
