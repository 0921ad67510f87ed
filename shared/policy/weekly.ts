// Hours that come again every week, as instants, by the zone's own clock.
import { Temporal } from 'temporal-polyfill';
import type { Opening } from '../model/window.ts';
import type { Weekly } from '../model/weekly.ts';
import { merged } from './intervals.ts';

const dayNames = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
const horizonDays = 9;

/**
 * Those hours of the days around an instant, from the day before it to eight days after: ascending, those that touch are
 * one. A time that a clock change skips or repeats is taken so that the hours are never cut short.
 */
export function weeklyAround(hours: readonly Weekly[], at: string): Opening[] {
  return merged(hours.flatMap((one) => occurrences(one, at)));
}

/** Until when an instant lies in such hours without a break; undefined where it lies in none. */
export function coveredUntil(hours: readonly Weekly[], at: string): string | undefined {
  return weeklyAround(hours, at).find(({ opens, closes }) => opens <= at && at < closes)?.closes;
}

function occurrences({ days, from, until, zone }: Weekly, at: string): Opening[] {
  const first = Temporal.Instant.from(at).toZonedDateTimeISO(zone).toPlainDate().subtract({ days: 1 });
  const overnight = until <= from;
  return Array.from({ length: horizonDays + 1 }, (_, index) => first.add({ days: index }))
    .filter((day) => days === undefined || days.includes(dayNames[day.dayOfWeek - 1] ?? 'MO'))
    .map((day) => ({
      opens: instantAt(day, from, zone, 'earlier'),
      closes: instantAt(overnight ? day.add({ days: 1 }) : day, until, zone, 'later'),
    }));
}

function instantAt(day: Temporal.PlainDate, time: string, zone: string, disambiguation: 'earlier' | 'later'): string {
  const at = day.toPlainDateTime(Temporal.PlainTime.from(time)).toZonedDateTime(zone, { disambiguation });
  return new Date(at.epochMilliseconds).toISOString();
}
