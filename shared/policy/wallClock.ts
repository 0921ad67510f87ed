// Wall-clock time made into instants by the Temporal polyfill and never by hand.
import { Temporal } from 'temporal-polyfill';

/** An offset such as +01:00 is a zone to Temporal, but it knows no daylight saving: people name a place. */
export function isNamedZone(zone: string): boolean {
  if (/^[+-]/.test(zone)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

/** Whether a text such as 2026-12-05T22:00 names a day and a time that calendars have. */
export function isWallClock(text: string): boolean {
  try {
    Temporal.PlainDateTime.from(text, { overflow: 'reject' });
    return true;
  } catch {
    return false;
  }
}

/**
 * What a zone's clock shows as an instant. `compatible`: a time that a clock change skips is moved forward by the length
 * of the gap, one that comes twice means the first time, as RFC 5545, 3.3.5, has it. `earlier` and `later` take the
 * first or last instant that can be meant: for the ends of what must not be cut short. Throws on a zone or a time that
 * does not exist.
 */
export function instantOf(
  wallClock: string,
  zone: string,
  disambiguation: 'compatible' | 'earlier' | 'later' = 'compatible',
): string {
  const at = Temporal.PlainDateTime.from(wallClock, { overflow: 'reject' }).toZonedDateTime(zone, { disambiguation });
  return new Date(at.epochMilliseconds).toISOString();
}

/** What a zone's clock shows at an instant, to the second. */
export function wallClockOf(instant: string, zone: string): string {
  return Temporal.Instant.from(instant)
    .toZonedDateTimeISO(zone)
    .toPlainDateTime()
    .toString({ smallestUnit: 'second', roundingMode: 'floor' });
}
