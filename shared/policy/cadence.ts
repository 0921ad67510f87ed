import { Cron } from 'croner';
import { wantsDeltas } from '../lifecycle/phases.ts';
import type { WorkloadState } from '../lifecycle/state.ts';
import type { Cadence } from '../model/cadence.ts';
import type { WorkloadPlan } from '../model/plan.ts';
import type { Opening } from '../model/window.ts';
import { durationMs, msBetween, plusMs } from './duration.ts';
import { type Rates, ratesOf } from './fit/rates.ts';
import { coveredUntil } from './weekly.ts';

type Sync = Pick<WorkloadPlan['settings']['sync'], 'cadence' | 'tighten' | 'blackouts'>;

/** What a delta's time is reckoned from. */
export interface Replicating {
  plan: { source: Pick<WorkloadPlan['source'], 'disks'>; settings: { sync: Sync } };
  state: Pick<WorkloadState, 'points' | 'sync' | 'syncRuns'>;
}

/**
 * When the next delta starts: a cadence after the end of the last sync, failed ones included, sooner where a window comes
 * near, later where that falls into a blackout; undefined before the first point. `windows`: the wave's, ascending.
 */
export function nextDeltaAt({ plan, state }: Replicating, windows: readonly Opening[] = []): string | undefined {
  const completed = state.points.at(-1)?.completedAt;
  if (completed === undefined) return undefined;
  const failed = state.sync.lastFailure?.at;
  const ended = failed !== undefined && Date.parse(failed) > Date.parse(completed) ? failed : completed;
  const { sync } = plan.settings;
  const regular = afterEnd(sync.cadence, ended, ratesOf(state.syncRuns, diskBytesOf(plan.source)));
  const wanted = earlier(regular, tightened(sync, ended, windows));
  return coveredUntil(sync.blackouts, wanted) ?? wanted;
}

/** Whether the timer starts a delta now: the phase wants deltas, nothing is in flight or paused, and its time has come. */
export function deltaDue(
  workload: Replicating & { state: Parameters<typeof wantsDeltas>[0] },
  now: string,
  windows?: readonly Opening[],
): boolean {
  const { state, plan } = workload;
  if (!wantsDeltas(state) || state.sync.status !== 'idle') return false;
  const next = nextDeltaAt(workload, windows);
  if (next === undefined || Date.parse(next) > Date.parse(now)) return false;
  return coveredUntil(plan.settings.sync.blackouts, now) === undefined;
}

/** How long it takes at most from the end of a delta to the start of the next one, near a window: for predictions. */
export function gapMs({ cadence, tighten }: Sync, rates: Rates, now: string): number {
  const regular =
    typeof cadence === 'object' && 'cron' in cadence
      ? longestGapMs(cadence, now)
      : msBetween(now, afterEnd(cadence, now, rates));
  return tighten === undefined ? regular : Math.min(regular, durationMs(tighten.cadence));
}

export const diskBytesOf = ({ disks }: Pick<WorkloadPlan['source'], 'disks'>): number =>
  disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

function afterEnd(cadence: Cadence, ended: string, rates: Rates): string {
  if (cadence === 'continuous') return ended;
  if (typeof cadence === 'string') return plusMs(ended, durationMs(cadence));
  if ('cron' in cadence) return runsAfter(cadence, ended, 1)[0] ?? ended;
  const { catchUp, atLeast, atMost } = cadence.adaptive;
  // In so long a time so much changes as takes `catchUp` to carry.
  const wanted = (durationMs(catchUp) * rates.throughput) / Math.max(rates.churn.high, Number.MIN_VALUE);
  return plusMs(ended, Math.max(durationMs(atLeast), Math.min(durationMs(atMost), wanted)));
}

/** Within a time before the next window, deltas come at least so often. */
function tightened({ tighten }: Sync, ended: string, windows: readonly Opening[]): string | undefined {
  const next = windows.find(({ closes }) => closes > ended);
  if (tighten === undefined || next === undefined) return undefined;
  const begins = plusMs(next.opens, -durationMs(tighten.within));
  const soon = plusMs(ended, durationMs(tighten.cadence));
  return msBetween(begins, soon) > 0 ? soon : begins;
}

const earlier = (a: string, b: string | undefined): string => (b !== undefined && b < a ? b : a);

type ByCron = Extract<Cadence, { cron: string }>;

function runsAfter({ cron, zone }: ByCron, after: string, count: number): string[] {
  const runs = new Cron(cron, { mode: '5-part', timezone: zone, paused: true }).nextRuns(count, new Date(after));
  return runs.map((run) => run.toISOString());
}

const runsLookedAt = 50;

function longestGapMs(cadence: ByCron, now: string): number {
  const runs = runsAfter(cadence, now, runsLookedAt);
  return Math.max(0, ...runs.slice(1).map((run, index) => msBetween(runs[index] ?? run, run)));
}
