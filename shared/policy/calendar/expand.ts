// A calendar's events as the periods that they take. Cancelled and transparent (free) events take none. Events without
// a zone, all-day ones above all, stay wall-clock times: whoever looks has the zone.
import type { CalendarEvent } from '../../model/calendar.ts';
import { plusMs } from '../duration.ts';
import { CalendarFault, type Component, readCalendar, textOf } from './read.ts';
import { seriesOf } from './series.ts';
import { zonesOf } from './zones.ts';

const periodsAtMost = 5000;
const yearMs = 366 * 86_400_000;

/** The periods of a text's events that end after one instant and begin before another, by their beginning. Throws `CalendarFault`. */
export function expandCalendar(text: string, from: string, until: string): CalendarEvent[] {
  const calendar = readCalendar(text);
  const zones = zonesOf(calendar, plusMs(from, -2 * yearMs).slice(0, 10), plusMs(until, yearMs).slice(0, 10));
  const series = Map.groupBy(
    calendar.components.filter(({ name }) => name === 'vevent'),
    (event: Component) => textOf(event, 'uid') ?? event,
  );
  const periods: CalendarEvent[] = [];
  for (const events of series.values())
    for (const period of seriesOf(events, zones, { from, until }))
      if (periods.push(period) > periodsAtMost)
        throw new CalendarFault(
          'VEVENT',
          undefined,
          `the events come more than ${periodsAtMost} times until ${until.slice(0, 10)}`,
          'send only what forbids cutovers, and end what comes daily with UNTIL',
        );
  return periods.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
}
