// Cutover windows: wall-clock time in a zone, and how often it comes again, made into instants.
//
// A recurring window keeps its wall-clock time: 22:00 stays 22:00 when clocks change. A start that a clock change skips
// is moved forward by the length of the gap (02:30 becomes 03:30; where a whole day is skipped, as in Pacific/Apia on 30
// December 2011, the next day's), one that comes twice means the first time. The length is elapsed time, so a window of
// four hours is four hours long in every night. Openings that touch or overlap are one.
import type { Opening, Window } from '../model/window.ts';
import { durationMs, plusMs } from './duration.ts';
import { merged } from './intervals.ts';
import { occurrences, parseRule, type Rule } from './recurrence.ts';
import { instantOf, isNamedZone, isWallClock, wallClockOf } from './wallClock.ts';

export interface WindowProblem {
  field: 'start' | 'duration' | 'zone' | 'repeat';
  message: string;
  fix: string;
}

const openingsAtMost = 100;
const yearsAtMost = 3;

/** The instants between which a window is open, ascending and disjoint, or what about it cannot be. */
export function resolveWindow(window: Window): { openings: Opening[] } | { problem: WindowProblem } {
  const { start, duration, zone, repeat } = window;
  if (!isNamedZone(zone))
    return problem('zone', `"${zone}" is not an IANA time zone`, 'use a name such as Europe/Amsterdam or UTC');
  const lengthMs = durationMs(duration);
  if (lengthMs <= 0) return problem('duration', 'the window never opens', 'give it a length such as PT4H');
  if (!isWallClock(start))
    return problem(
      'start',
      `${start} is not a date and time that exists`,
      'use a local wall-clock time such as 2026-12-05T22:00',
    );
  const starts = repeat === undefined ? { starts: [start] } : startsOf(start, zone, repeat);
  if ('problem' in starts) return starts;
  const openings = starts.starts.map((at) => {
    const opens = instantOf(at, zone);
    return { opens, closes: plusMs(opens, lengthMs) };
  });
  return { openings: merged(openings) };
}

/** Until when a window may come again: a wall-clock date, some years after its start. */
function horizonOf(start: string): string {
  return `${Number(start.slice(0, 4)) + yearsAtMost}${start.slice(4, 10).replace('-02-29', '-03-01')}`;
}

function startsOf(start: string, zone: string, repeat: string): { starts: string[] } | { problem: WindowProblem } {
  const parsed = parseRule(repeat);
  if ('fault' in parsed)
    return problem('repeat', `the rule is not understood: ${parsed.fault}`, 'write it as FREQ=WEEKLY;BYDAY=SA;COUNT=8');
  const rule = inZone(parsed.rule, zone);
  if (rule.count === undefined && rule.until === undefined)
    return problem('repeat', 'the rule never ends', 'end it with ;COUNT=8 or ;UNTIL=20271231');
  const full = start.length === 16 ? `${start}:00` : start;
  const horizon = horizonOf(full);
  const starts: string[] = [];
  // One more than may be: enough to see that there are too many.
  for (const at of occurrences(rule, full, { until: horizon })) {
    starts.push(at);
    if (starts.length > openingsAtMost) break;
  }
  const [first] = starts;
  if (first !== full)
    return problem(
      'repeat',
      `the window starts at ${start}, which is no time of its rule`,
      first === undefined ? 'mend the rule: nothing fits it' : `start at ${first.slice(0, start.length)}`,
    );
  if (starts.length > openingsAtMost || (rule.count ?? 0) > starts.length || (rule.until ?? '') > horizon)
    return problem(
      'repeat',
      `the window opens more than ${openingsAtMost} times, or later than ${yearsAtMost} years after its start`,
      'end it sooner, with a smaller COUNT or an earlier UNTIL',
    );
  return { starts };
}

/** A rule whose UNTIL, if it is an instant, is what the zone's clock shows then. */
function inZone(rule: Rule, zone: string): Rule {
  return rule.until?.endsWith('Z') ? { ...rule, until: wallClockOf(rule.until, zone) } : rule;
}

function problem(field: WindowProblem['field'], message: string, fix: string): { problem: WindowProblem } {
  return { problem: { field, message, fix } };
}
