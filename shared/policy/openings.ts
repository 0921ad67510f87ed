// A plan's windows as instants: ascending, disjoint. Which one counts now, and whether work may still start in it.
import type { Opening } from '../model/window.ts';
import { msBetween, plusMs } from './duration.ts';

/** The first opening that has not closed yet: open now, or the next. */
export function currentOpening(windows: readonly Opening[], now: string): Opening | undefined {
  return windows.find(({ closes }) => msBetween(now, closes) > 0);
}

/** The last moment at which work of a given length still ends inside the window. */
export function latestStart({ closes }: Pick<Opening, 'closes'>, workMs: number): string {
  return plusMs(closes, -workMs);
}

export type MayStart = { may: true; window: Opening } | { may: false; why: 'notOpenYet' | 'tooLate'; reason: string };

/** Whether work of a given length may start now: a window is open and the work ends inside it. */
export function mayStart(now: string, windows: readonly Opening[], workMs = 0): MayStart {
  const window = currentOpening(windows, now);
  if (window !== undefined && msBetween(now, window.opens) > 0)
    return { may: false, why: 'notOpenYet', reason: `the next window opens at ${window.opens}` };
  const at = window ?? windows.at(-1);
  if (at === undefined) return { may: false, why: 'tooLate', reason: 'there is no window' };
  const latest = latestStart(at, workMs);
  if (window !== undefined && msBetween(latest, now) < 0) return { may: true, window };
  const next = windows.find(({ opens }) => msBetween(now, opens) > 0);
  const after = next === undefined ? 'there is no other window' : `the next window opens at ${next.opens}`;
  const closed = `the window ${window === undefined ? 'closed' : 'closes'} at ${at.closes}`;
  return { may: false, why: 'tooLate', reason: `the latest safe start was ${latest}; ${closed}; ${after}` };
}
