// Whether a cutover, or what is left of it, fits its window: what it takes at a high estimate, and its whole way back
// after that, must end before the window closes. `atRisk`: only as it usually goes. Waiting is never a reason to give up:
// there is a next window.
import type { WorkloadState } from '../lifecycle/state.ts';
import type { Opening } from '../model/window.ts';
import { msBetween } from './duration.ts';
import { type Facts, partsOf, type WorkloadParts } from './fit/downtime.ts';
import { noTime } from './fit/estimate.ts';
import { leftFrom, type Part, partOf } from './fit/left.ts';
import { type GroupPath, pathOf } from './fit/path.ts';
import { bytesText, timeText } from './fit/words.ts';
import { currentOpening, latestStart } from './openings.ts';

export type Verdict = 'fits' | 'atRisk' | 'cannotFit';

export interface Fit {
  verdict: Verdict;
  /** The window that it was judged for: the one that is open, or the next; null if there is none. */
  window: Opening | null;
  /** When the cutover must have started: the window's end without the high estimate and the way back. */
  latestSafeStart: string | null;
  /** The next window after that one in which it would fit, if any. */
  nextWindow: Opening | null;
  reasons: string[];
}

/** Judges work that starts now, when the next window opens, or when nobody has an old answer of DNS any more. */
export function judge(
  { total, undo }: Pick<GroupPath, 'total' | 'undo'>,
  windows: readonly Opening[],
  now: string,
  obstacles: readonly string[] = [],
  /** Answers of DNS from before run until then. */
  clearAt: string = now,
): Fit {
  const needsMs = total.highMs + undo.highMs;
  const window = currentOpening(windows, now);
  if (window === undefined)
    return {
      verdict: 'cannotFit',
      window: null,
      latestSafeStart: null,
      nextWindow: null,
      reasons: ['no window is left', ...obstacles],
    };
  const latestSafeStart = latestStart(window, needsMs);
  const start = later(later(now, window.opens), clearAt);
  const nextWindow =
    obstacles.length > 0
      ? null
      : (windows.find((one) => one.opens > window.opens && latestStart(one, needsMs) >= one.opens) ?? null);
  const answer = { window, latestSafeStart, nextWindow };
  const leftMs = msBetween(start, window.closes);
  const back = undo.highMs === 0 ? '' : ` and ${timeText(undo.highMs)} for the way back`;
  const account = `${timeText(total.highMs)} of cutover at a high estimate${back}`;
  const has = `the window that closes at ${window.closes} has ${timeText(leftMs)} left from ${start}`;
  if (obstacles.length > 0) return { ...answer, verdict: 'cannotFit', reasons: [...obstacles] };
  if (start <= latestSafeStart) return { ...answer, verdict: 'fits', reasons: [`${account} fit: ${has}`] };
  const usualMs = total.expectedMs + undo.expectedMs;
  const clear = start === clearAt && start !== now ? [`old answers of DNS run out at ${clearAt}`] : [];
  const late = [...clear, `the latest safe start was ${latestSafeStart}`];
  return usualMs <= leftMs
    ? {
        ...answer,
        verdict: 'atRisk',
        reasons: [`${account} do not fit, ${timeText(usualMs)} as it usually goes do: ${has}`, ...late],
      }
    : {
        ...answer,
        verdict: 'cannotFit',
        reasons: [`not even ${timeText(usualMs)}, as it usually goes with the way back, fit: ${has}`, ...late],
      };
}

function later(a: string, b: string): string {
  return msBetween(a, b) > 0 ? b : a;
}

export interface GroupFit extends Fit {
  path: GroupPath;
  workloads: WorkloadParts[];
}

/** A workload with where it stands in its cutover. */
type Member = Facts & { state: Pick<WorkloadState, 'phase' | 'remembered'> };

/** The part of their cutover that some workloads are about to begin; the others are where their phases say. */
export interface Beginning {
  part: Part;
  workloadIds: readonly string[];
  /** Whether nothing of the plan leads back from there: then no time is kept for the way back. */
  oneWay: boolean;
}

/**
 * Predicts and judges what is left of the cutover of a group, or of those of its workloads that are given; all of it
 * where none has begun. `tiers` in start order.
 */
export function judgeGroup(
  tiers: readonly (readonly string[])[],
  members: readonly Member[],
  windows: readonly Opening[],
  now: string,
  beginning?: Beginning,
): GroupFit {
  const workloads = members.map((one) => {
    const begins = beginning?.workloadIds.includes(one.plan.workloadId) === true;
    return leftFrom(partsOf(one, now), begins ? beginning.part : partOf(one.state));
  });
  const path = pathOf(tiers, workloads);
  const undo = beginning?.oneWay === true ? noTime : path.undo;
  const obstacles = workloads.filter((one) => !one.converges).map(neverConverges);
  const fit = judge({ total: path.total, undo }, windows, now, obstacles, clearAtOf(members, now));
  const guessed = workloads.filter(({ rates, finalDelta }) => rates.deltas === 0 && finalDelta.highMs > 0);
  const reasons =
    guessed.length === 0
      ? fit.reasons
      : [
          ...fit.reasons,
          `no delta was measured yet of ${guessed.map(({ workloadId }) => workloadId).join(', ')}: their churn is assumed`,
        ];
  return { ...fit, reasons, path, workloads };
}

/** When the last of the old answers runs out whose records were lowered; now, if that has been. */
export function clearAtOf(facts: readonly { state: Pick<Facts['state'], 'ttl'> }[], now: string): string {
  return facts.reduce((latest, { state }) => later(latest, state.ttl?.clearAt ?? now), now);
}

function neverConverges({ workloadId, rates }: WorkloadParts): string {
  const { churn, throughput } = rates;
  return `the deltas of ${workloadId} never catch up: ${bytesText(churn.expected)} change per second, and at most ${bytesText(throughput)} were ever carried`;
}

/** One sentence for people. */
export function reasonOf({ verdict, reasons, nextWindow }: Fit): string {
  const next =
    verdict === 'fits' || nextWindow === null ? '' : `; the next window in which it fits opens at ${nextWindow.opens}`;
  return `${reasons.join('; ')}${next}`;
}
