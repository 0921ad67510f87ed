import { plusMs } from '../duration.ts';
import { isWallClock } from '../wallClock.ts';
import { CalendarFault, type Component, first, type Property, textOf } from './read.ts';
import { utc, type Zone } from './zones.ts';

/** A date or a time of an event. Without a zone it is wall-clock time wherever one looks, as all-day events are. */
export interface Moment {
  /** Such as 2026-12-25T00:00:00. */
  wallClock: string;
  zone: Zone | undefined;
  allDay: boolean;
}

export type FindZone = (tzid: string, path: string) => Zone;

/** What an event is called in a problem: its UID may be the only thing that people can search for. */
export function pathOf(event: Component): string {
  return `VEVENT "${textOf(event, 'summary') ?? textOf(event, 'uid') ?? 'without UID'}"`.slice(0, 120);
}

/** The moments of all properties of a name. Throws `CalendarFault`. */
export function momentsOf(event: Component, name: string, zones: FindZone): Moment[] {
  const path = `${pathOf(event)} ${name.toUpperCase()}`;
  return event.properties
    .filter((property) => property.name === name)
    .flatMap((property) => property.values.map((value) => momentOf(property, value, zones, path)));
}

function momentOf({ type, parameters }: Property, value: unknown, zones: FindZone, path: string): Moment {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const allDay = type === 'date';
  const wallClock = allDay ? `${text}T00:00:00` : text.replace(/Z$/, '');
  if ((!allDay && type !== 'date-time') || !isWallClock(wallClock) || wallClock < '1900')
    throw new CalendarFault(
      path,
      value,
      'is no date or date-time',
      'write 20261225, or 20261225T220000 with a TZID or Z',
    );
  if (allDay) return { wallClock, allDay, zone: undefined };
  if (text.endsWith('Z')) return { wallClock, allDay, zone: utc };
  const { tzid } = parameters;
  return { wallClock, allDay, zone: typeof tzid === 'string' ? zones(tzid, path) : undefined };
}

/** The instant of a wall-clock time in a zone; without one the wall-clock time itself. `latest` as in `Zone`. */
export function placed(wallClock: string, zone: Zone | undefined, latest = false): string {
  return zone === undefined ? wallClock : zone.toInstant(wallClock, latest);
}

/** A wall-clock time moved by milliseconds of its clock. */
export function laterBy(wallClock: string, milliseconds: number): string {
  return plusMs(`${wallClock}Z`, milliseconds).slice(0, 19);
}

/** Where an event ends that begins at a wall-clock time, as a text that `placed` would give; undefined if it takes no time. */
export type EndOf = (start: string) => string | undefined;

/**
 * How long an event lasts. By DTEND its occurrences last as long as the first, by DURATION until the clock shows so much
 * more (RFC 5545, 3.8.5.3).
 */
export function lengthOf(event: Component, start: Moment, zones: FindZone): EndOf {
  const [end] = momentsOf(event, 'dtend', zones);
  const { zone } = start;
  if (end !== undefined) {
    if (end.allDay !== start.allDay || (end.zone === undefined) !== (zone === undefined))
      throw new CalendarFault(
        `${pathOf(event)} DTEND`,
        end.wallClock,
        'is of another kind than DTSTART',
        'give both a date, or both a time with a zone',
      );
    const from = Date.parse(withZ(placed(start.wallClock, zone)));
    const lengthMs = Date.parse(withZ(placed(end.wallClock, end.zone, true))) - from;
    if (lengthMs < 0)
      throw new CalendarFault(
        `${pathOf(event)} DTEND`,
        end.wallClock,
        'lies before DTSTART',
        'let it end after it begins',
      );
    if (lengthMs === 0) return () => undefined;
    return (at) => (zone === undefined ? laterBy(at, lengthMs) : plusMs(placed(at, zone), lengthMs));
  }
  const written = first(event, 'duration')?.values[0];
  const clockMs = written === undefined ? (start.allDay ? dayMs : 0) : durationOf(event, written);
  return clockMs === 0 ? () => undefined : (at) => placed(laterBy(at, clockMs), zone, true);
}

const dayMs = 86_400_000;

function durationOf(event: Component, written: unknown): number {
  const match = /^\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$/.exec(
    String(written),
  );
  if (match === null)
    throw new CalendarFault(`${pathOf(event)} DURATION`, written, 'is no duration', 'write PT4H or P1D');
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return (weeks * 7 + days) * dayMs + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** So that texts of either kind can be compared and counted with. */
export function withZ(text: string): string {
  return text.endsWith('Z') ? text : `${text}Z`;
}
