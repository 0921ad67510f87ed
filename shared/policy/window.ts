// Cutover windows: wall-clock time in a zone, made into instants by the Temporal polyfill and never by hand.
import { Temporal } from 'temporal-polyfill';
import type { Window } from '../model/window.ts';
import { durationMs, msBetween, plusMs } from './duration.ts';

export interface OpenWindow {
  opens: string;
  closes: string;
  zone: string;
}
export interface WindowProblem {
  field: 'start' | 'duration' | 'zone';
  message: string;
  fix: string;
}

/** An offset such as +01:00 is a zone to Temporal, but it knows no daylight saving: definitions name a place. */
function isNamedZone(zone: string): boolean {
  if (/^[+-]/.test(zone)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

/**
 * The instants between which a window is open. A start that a clock change skips is moved forward by the length of the
 * gap, one that comes twice means the first time (Temporal's disambiguation `compatible`). The length is elapsed time.
 */
export function resolveWindow(window: Window): { window: OpenWindow } | { problem: WindowProblem } {
  if (!isNamedZone(window.zone))
    return {
      problem: {
        field: 'zone',
        message: `"${window.zone}" is not an IANA time zone`,
        fix: 'use a name such as Europe/Amsterdam or UTC',
      },
    };
  if (durationMs(window.duration) <= 0)
    return { problem: { field: 'duration', message: 'the window never opens', fix: 'give it a length such as PT4H' } };
  try {
    const start = Temporal.PlainDateTime.from(window.start).toZonedDateTime(window.zone, {
      disambiguation: 'compatible',
    });
    const opens = new Date(start.epochMilliseconds).toISOString();
    return { window: { opens, closes: plusMs(opens, durationMs(window.duration)), zone: window.zone } };
  } catch {
    return {
      problem: {
        field: 'start',
        message: `${window.start} is not a date and time that exists`,
        fix: 'use a local wall-clock time such as 2026-12-05T22:00',
      },
    };
  }
}

/** The last moment at which work of a given length still ends inside the window. */
export function latestStart(window: OpenWindow, workMs: number): string {
  return plusMs(window.closes, -workMs);
}

export type MayStart = { may: true } | { may: false; why: 'notOpenYet' | 'tooLate'; reason: string };

/** Whether work of a given length may start now: the window is open and the work ends inside it. */
export function mayStart(now: string, window: OpenWindow, workMs = 0): MayStart {
  if (msBetween(now, window.opens) > 0)
    return { may: false, why: 'notOpenYet', reason: `the window opens at ${window.opens}` };
  const latest = latestStart(window, workMs);
  if (msBetween(latest, now) >= 0)
    return {
      may: false,
      why: 'tooLate',
      reason: `the latest safe start was ${latest}; the window closes at ${window.closes}`,
    };
  return { may: true };
}
