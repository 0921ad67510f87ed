import type { CalendarEvent } from '../../model/calendar.ts';
import { plusMs } from '../duration.ts';
import { occurrences, parseRule, type Rule } from '../recurrence.ts';
import {
  type EndOf,
  type FindZone,
  laterBy,
  lengthOf,
  type Moment,
  momentsOf,
  pathOf,
  placed,
  withZ,
} from './moments.ts';
import { CalendarFault, type Component, first, textOf } from './read.ts';
import { ruleText } from './ruleText.ts';

interface Bounds {
  from: string;
  until: string;
}

/**
 * The periods that the events of one UID take: what recurs, without its EXDATEs, and with those occurrences replaced
 * that a RECURRENCE-ID names. Throws `CalendarFault`.
 */
export function* seriesOf(events: readonly Component[], zones: FindZone, bounds: Bounds): Generator<CalendarEvent> {
  const replacing = events.filter((event) => first(event, 'recurrence-id') !== undefined);
  const replaced = replacing.flatMap((event) => replacedBy(event, zones));
  for (const event of events) {
    const alone = replacing.includes(event);
    if (!takesTime(event)) continue;
    const start = startOf(event, zones);
    const endOf = lengthOf(event, start, zones);
    const starts = alone ? [start.wallClock] : startsOf(event, start, endOf, replaced, zones, bounds);
    for (const at of starts) {
      const period = { event: nameOf(event), from: placed(at, start.zone), to: endOf(at) };
      if (period.to !== undefined && withZ(period.to) > bounds.from && withZ(period.from) < bounds.until)
        yield { ...period, to: period.to };
    }
  }
}

/** Cancelled events are no more, transparent ones leave the time free. */
function takesTime(event: Component): boolean {
  return (
    textOf(event, 'status')?.toUpperCase() !== 'CANCELLED' && textOf(event, 'transp')?.toUpperCase() !== 'TRANSPARENT'
  );
}

function nameOf(event: Component): string {
  return (textOf(event, 'summary')?.trim() || textOf(event, 'uid') || 'an event without a name').slice(0, 200);
}

function startOf(event: Component, zones: FindZone): Moment {
  const [start] = momentsOf(event, 'dtstart', zones);
  if (start === undefined)
    throw new CalendarFault(`${pathOf(event)} DTSTART`, undefined, 'is missing', 'say when it begins');
  return start;
}

function replacedBy(event: Component, zones: FindZone): Moment[] {
  if (first(event, 'recurrence-id')?.parameters['range'] !== undefined)
    throw new CalendarFault(
      `${pathOf(event)} RECURRENCE-ID`,
      'RANGE',
      'changing an event and all that follow is not supported',
      'end the series with UNTIL, and send what follows as another event',
    );
  return momentsOf(event, 'recurrence-id', zones);
}

function startsOf(
  event: Component,
  start: Moment,
  endOf: EndOf,
  replaced: readonly Moment[],
  zones: FindZone,
  { from, until }: Bounds,
): string[] {
  const lengthMs =
    Date.parse(withZ(endOf(start.wallClock) ?? start.wallClock)) -
    Date.parse(withZ(placed(start.wallClock, start.zone)));
  // A clock is at most a day away from UTC.
  const wanted = {
    from: plusMs(from, -lengthMs - 2 * 86_400_000).slice(0, 10),
    until: plusMs(until, 86_400_000).slice(0, 10),
  };
  const rule = ruleOf(event, start, lengthMs, from);
  const recurring = rule === undefined ? [] : occurrences(rule, start.wallClock, wanted);
  const dates = momentsOf(event, 'rdate', zones).map((moment) => inZoneOf(start, moment));
  const left = [...momentsOf(event, 'exdate', zones), ...replaced];
  const times = new Set(left.filter(({ allDay }) => !allDay || start.allDay).map((moment) => inZoneOf(start, moment)));
  const days = new Set(left.filter(({ allDay }) => allDay).map(({ wallClock }) => wallClock.slice(0, 10)));
  return [...new Set([start.wallClock, ...recurring, ...dates])].filter(
    (at) => !times.has(at) && !days.has(at.slice(0, 10)),
  );
}

/** A moment as the clock of the series shows it. */
function inZoneOf({ zone }: Moment, moment: Moment): string {
  return zone === undefined || moment.zone === undefined
    ? moment.wallClock
    : zone.toWallClock(placed(moment.wallClock, moment.zone));
}

/** So long may be what recurs, and so long ago what counts: an import looks at every day of it. */
const longestMs = 366 * 86_400_000;
const countingMs = 5 * 366 * 86_400_000;

function ruleOf(event: Component, start: Moment, lengthMs: number, from: string): Rule | undefined {
  const path = `${pathOf(event)} RRULE`;
  const [written, another] = event.properties.filter(({ name }) => name === 'rrule');
  if (written === undefined) return undefined;
  const text = ruleText(written.values[0]);
  if (another !== undefined)
    throw new CalendarFault(path, text, 'is not the only rule of its event', 'send an event for each rule');
  if (lengthMs > longestMs)
    throw new CalendarFault(
      path,
      text,
      'repeats what lasts longer than a year',
      'send it without the rule, or shorter',
    );
  const parsed = parseRule(text);
  if ('fault' in parsed)
    throw new CalendarFault(
      path,
      text,
      `the rule is not understood: ${parsed.fault}`,
      'write it as FREQ=YEARLY, or list its times as RDATE',
    );
  const { rule } = parsed;
  if (rule.count !== undefined && start.wallClock < laterBy(from.slice(0, 19), -countingMs))
    throw new CalendarFault(path, text, 'counts from more than five years ago', 'end it with UNTIL, or begin it later');
  const instant = rule.until?.endsWith('Z') ? rule.until : undefined;
  if (instant === undefined) return rule;
  return { ...rule, until: start.zone?.toWallClock(new Date(instant).toISOString()) ?? instant.slice(0, -1) };
}
