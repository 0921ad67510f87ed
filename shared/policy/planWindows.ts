// From a wave's window to the times in which it may cut over: occurrences, without what calendars and freezes forbid.
import type { Blackout, Opening, Window } from '../model/window.ts';
import { type BlackoutInput, blackoutsIn } from './blackouts.ts';
import { durationMs, msBetween, plusMs } from './duration.ts';
import { without } from './intervals.ts';
import type { Problem } from './problems.ts';
import { instantOf } from './wallClock.ts';
import { resolveWindow } from './window.ts';

export interface PlannedWindows {
  /** Ascending, disjoint, not over yet. */
  windows: Opening[];
  /** What was cut out of them. */
  blackouts: Blackout[];
}

const windowsAtMost = 100;
const blackoutsAtMost = 500;
const daysAhead = 400;
const dayMs = 86_400_000;

/** The openings of a wave's window that have not closed yet, without blackouts, or what stands against them. */
export function planWindows(input: BlackoutInput, now: string): PlannedWindows | { problems: Problem[] } {
  const { window } = input.definition;
  const resolved = resolveWindow(window);
  if ('problem' in resolved) {
    const { field, message, fix } = resolved.problem;
    return { problems: [{ path: `window.${field}`, value: window[field], message, fix }] };
  }
  const ahead = resolved.openings.filter(({ closes }) => msBetween(now, closes) > 0);
  const span = spanOf(ahead);
  if (span === undefined) return { problems: [isPast(window, resolved.openings)] };
  const { blackouts, problems } = blackoutsIn(input, span);
  if (problems.length > 0) return { problems };
  const cuts = blackouts.filter((cut) => ahead.some(({ opens, closes }) => cut.opens < closes && cut.closes > opens));
  const windows = without(ahead, cuts).filter(({ closes }) => msBetween(now, closes) > 0);
  if (windows.length === 0) return { problems: [swallowed(input, cuts, ahead)] };
  if (windows.length > windowsAtMost || cuts.length > blackoutsAtMost)
    return { problems: [cutTooOften(window, windows.length, cuts.length)] };
  return { windows, blackouts: cuts };
}

function spanOf(openings: readonly Opening[]): Opening | undefined {
  const [first] = openings;
  const last = openings.at(-1);
  return first === undefined || last === undefined ? undefined : { opens: first.opens, closes: last.closes };
}

function isPast({ start }: Window, openings: readonly Opening[]): Problem {
  return {
    path: 'window.start',
    value: start,
    message: `the window closed at ${openings.at(-1)?.closes}, which is past`,
    fix: 'choose a window that lies ahead',
  };
}

function swallowed(input: BlackoutInput, cuts: readonly Blackout[], openings: readonly Opening[]): Problem {
  const { window } = input.definition;
  const by = [...new Set(cuts.map((cut) => cut.by))];
  const named = by.length > 3 ? `${by.slice(0, 3).join('; ')}; and ${by.length - 3} more` : by.join('; ');
  const last = (openings.at(-1) as Opening).closes;
  const next = nextFree(input, last);
  return {
    path: window.repeat === undefined ? 'window.start' : 'window.repeat',
    value: window.repeat ?? window.start,
    message: `nothing of the window is left: ${named}`,
    fix:
      next === undefined
        ? `no day of the next ${daysAhead} has room for ${window.duration} at this time: choose another time, or a shorter window`
        : `the next day with room for ${window.duration} at this time starts at ${next} (${window.zone})`,
  };
}

/** The first day after an instant on which the whole window, at its time of the day, is in no blackout. */
function nextFree(input: BlackoutInput, after: string): string | undefined {
  const { start, duration, zone } = input.definition.window;
  const search = { opens: after, closes: plusMs(after, (daysAhead + 2) * dayMs) };
  // A calendar that is not known so far does not hinder a proposal: planning it looks again.
  const calendars = input.calendars.map((calendar) => ({ ...calendar, until: search.closes }));
  const { blackouts } = blackoutsIn({ ...input, calendars }, search);
  for (let day = 0; day <= daysAhead; day++) {
    const at = plusMs(`${after.slice(0, 10)}T00:00:00Z`, day * dayMs).slice(0, 10) + start.slice(10);
    const opens = instantOf(at, zone);
    const closes = plusMs(opens, durationMs(duration));
    if (opens >= after && !blackouts.some((cut) => cut.opens < closes && cut.closes > opens)) return at;
  }
  return undefined;
}

function cutTooOften(window: Window, windows: number, cuts: number): Problem {
  return {
    path: 'window.repeat',
    value: window.repeat,
    message: `${cuts} blackouts leave ${windows} windows; at most ${blackoutsAtMost} and ${windowsAtMost} are planned`,
    fix: 'end the rule sooner, or join what the calendars forbid',
  };
}
