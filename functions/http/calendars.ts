// Blackout calendars: iCalendar texts, imported as the periods in which no cutover may run.

import type { Calendar } from '../../shared/model/calendar.ts';
import { Id } from '../../shared/model/ids.ts';
import { expandCalendar } from '../../shared/policy/calendar/expand.ts';
import { CalendarFault } from '../../shared/policy/calendar/read.ts';
import { plusMs } from '../../shared/policy/duration.ts';
import { readText } from './body.ts';
import { refuse } from './problem.ts';
import { json, type Route, readers } from './route.ts';

const bytesAtMost = 512 * 1024;
const dayMs = 86_400_000;
/** A window comes again for three years at most; a calendar is known a year longer. */
const knownMs = 4 * 366 * dayMs;

export const calendarRoutes: Route[] = [
  {
    name: 'calendarsList',
    method: 'GET',
    path: 'calendars',
    allowed: readers,
    handle: async ({ capabilities: { store } }) => json({ calendars: (await store.calendars.list()).map(summaryOf) }),
  },
  {
    name: 'calendarsGet',
    method: 'GET',
    path: 'calendars/{id}',
    allowed: readers,
    async handle({ capabilities: { store }, param }) {
      const calendar = await store.calendars.get(param('id'));
      if (calendar === undefined) throw refuse('notFound', `There is no calendar "${param('id')}".`);
      return json(calendar);
    },
  },
  {
    name: 'calendarsPut',
    method: 'PUT',
    path: 'calendars/{id}',
    allowed: ['planner', 'administrator'],
    async handle({ capabilities: { store, now }, request, param, person }) {
      const id = Id.safeParse(param('id'));
      if (!id.success)
        throw refuse('invalidInput', 'The path names no calendar.', [
          {
            path: 'id',
            value: param('id'),
            message: 'is no id',
            fix: id.error.issues[0]?.message ?? 'use another one',
          },
        ]);
      const text = await readText(request, 'text/calendar', bytesAtMost);
      const importedAt = now();
      const until = plusMs(importedAt, knownMs);
      const events = eventsOf(text, plusMs(importedAt, -dayMs), until);
      const calendar: Calendar = { id: id.data, importedAt, importedBy: person.subject, until, events };
      await store.calendars.put(calendar);
      return json(summaryOf(calendar));
    },
  },
];

function eventsOf(text: string, from: string, until: string): Calendar['events'] {
  try {
    return expandCalendar(text, from, until);
  } catch (error) {
    if (!(error instanceof CalendarFault)) throw error;
    const { path, value, message, fix } = error;
    throw refuse('invalidInput', 'The calendar is not understood.', [{ path, value, message, fix }]);
  }
}

/** A calendar without its events. */
function summaryOf({ events, ...calendar }: Calendar) {
  return { ...calendar, events: events.length };
}
