// The zones that a calendar's times are in: places of the IANA database by their names, else what the calendar's own
// VTIMEZONE says, such as Outlook's "W. Europe Standard Time".
import { durationMs, plusMs } from '../duration.ts';
import { occurrences, parseRule, type Rule } from '../recurrence.ts';
import { instantOf, isNamedZone, isWallClock, wallClockOf } from '../wallClock.ts';
import { CalendarFault, type Component, first, textOf } from './read.ts';
import { ruleText } from './ruleText.ts';

/** Between what a zone's clock shows and instants. `latest` tells which of two instants is meant that show the same. */
export interface Zone {
  toInstant(wallClock: string, latest?: boolean): string;
  toWallClock(instant: string): string;
}

export const utc: Zone = {
  toInstant: (wallClock) => new Date(`${wallClock}Z`).toISOString(),
  toWallClock: (instant) => instant.slice(0, 19),
};

const zonesAtMost = 50;

/** Finds zones by TZID; those of VTIMEZONE are known from `from` to `until` (dates). Throws `CalendarFault`. */
export function zonesOf(calendar: Component, from: string, until: string): (tzid: string, path: string) => Zone {
  const known = new Map<string, Zone>();
  return (tzid, path) => {
    if (!known.has(tzid) && known.size >= zonesAtMost)
      throw new CalendarFault(path, tzid, `more than ${zonesAtMost} time zones`, 'send several calendars');
    const zone = known.get(tzid) ?? zoneOf(calendar, tzid, path, from, until);
    known.set(tzid, zone);
    return zone;
  };
}

function zoneOf(calendar: Component, tzid: string, path: string, from: string, until: string): Zone {
  if (isNamedZone(tzid))
    return {
      toInstant: (wallClock, latest = false) => instantOf(wallClock, tzid, latest ? 'later' : 'earlier'),
      toWallClock: (instant) => wallClockOf(instant, tzid),
    };
  const own = calendar.components.find((one) => one.name === 'vtimezone' && textOf(one, 'tzid') === tzid);
  if (own === undefined)
    throw new CalendarFault(
      path,
      tzid,
      `"${tzid}" is no IANA time zone, and the calendar has no VTIMEZONE of this name`,
      'use a name such as Europe/Amsterdam, or send the VTIMEZONE along',
    );
  return zoneOfChanges(changesOf(own, tzid, from, until));
}

/** From an instant on, the clock is so far before UTC. */
interface Change {
  at: string;
  offsetMs: number;
}

const observancesAtMost = 50;
/** Of one observance: a clock that changes twice a year for as long as anybody asks has a tenth of these. */
const onsetsAtMost = 100;

function changesOf(own: Component, tzid: string, from: string, until: string): Change[] {
  const path = `VTIMEZONE "${tzid}"`;
  if (own.components.length === 0 || own.components.length > observancesAtMost)
    throw new CalendarFault(
      path,
      own.components.length,
      'has no STANDARD, or too many',
      `send 1 to ${observancesAtMost}`,
    );
  return own.components
    .flatMap((observance) => {
      const beforeMs = offsetOf(observance, 'tzoffsetfrom', path);
      const offsetMs = offsetOf(observance, 'tzoffsetto', path);
      const starts = onsets(observance, beforeMs, path, from, until);
      return starts.map((at) => ({ at: plusMs(`${at}Z`, -beforeMs), offsetMs }));
    })
    .sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** When an observance begins: first, and then by its rule and dates as far as anybody asks. */
function onsets(observance: Component, beforeMs: number, path: string, from: string, until: string): string[] {
  const start = textOf(observance, 'dtstart') ?? '';
  const dates = observance.properties.filter(({ name }) => name === 'rdate').flatMap(({ values }) => values);
  const times = [start, ...dates.map(String)];
  const broken = times.find((at) => !isWallClock(at));
  if (broken !== undefined)
    throw new CalendarFault(`${path} DTSTART or RDATE`, broken, 'is no date and time', 'write 19701025T030000');
  const rule = yearlyRule(observance, beforeMs, path);
  if (rule !== undefined) times.push(...occurrences(rule, start, { from, until }));
  if (times.length > onsetsAtMost)
    throw new CalendarFault(
      path,
      times.length,
      `changes more than ${onsetsAtMost} times`,
      'use the name of a place, such as Europe/Amsterdam',
    );
  return times;
}

function yearlyRule(observance: Component, beforeMs: number, path: string): Rule | undefined {
  const written = first(observance, 'rrule')?.values[0];
  if (written === undefined) return undefined;
  const parsed = parseRule(ruleText(written));
  const yearly = 'rule' in parsed && parsed.rule.frequency === 'YEARLY' && parsed.rule.count === undefined;
  if (!yearly)
    throw new CalendarFault(
      `${path} RRULE`,
      written,
      `is not understood: ${'fault' in parsed ? parsed.fault : 'only FREQ=YEARLY without COUNT is'}`,
      'write it as FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU',
    );
  const { until } = parsed.rule;
  return until?.endsWith('Z') ? { ...parsed.rule, until: plusMs(until, beforeMs).slice(0, 19) } : parsed.rule;
}

function offsetOf(observance: Component, name: string, path: string): number {
  const value = textOf(observance, name) ?? '';
  const [, sign, hours, minutes, seconds = '0'] = /^([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(value) ?? [];
  if (sign === undefined)
    throw new CalendarFault(`${path} ${name.toUpperCase()}`, value, 'is no offset', 'write +0100');
  return (sign === '-' ? -1 : 1) * durationMs(`PT${hours}H${minutes}M${seconds}S`);
}

function zoneOfChanges(changes: readonly Change[]): Zone {
  const offsetAt = (instant: string) => (changes.findLast(({ at }) => at <= instant) ?? changes[0])?.offsetMs ?? 0;
  return {
    toInstant(wallClock, latest = false) {
      // What the clock shows is this instant under one of the offsets around it: both, if it shows it twice; none, if a
      // change skips it.
      const around = [-1, 1].map((days) => offsetAt(plusMs(`${wallClock}Z`, days * 86_400_000)));
      const candidates = around.map((offset) => plusMs(`${wallClock}Z`, -offset)).sort();
      const shown = candidates.filter((at) => plusMs(at, offsetAt(at)).slice(0, 19) === wallClock);
      return (shown.length > 0 ? shown : candidates).at(latest ? -1 : 0) ?? `${wallClock}.000Z`;
    },
    toWallClock: (instant) => plusMs(instant, offsetAt(instant)).slice(0, 19),
  };
}
