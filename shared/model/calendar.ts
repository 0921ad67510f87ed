import { z } from 'zod';
import { Id, Instant } from './ids.ts';

/** A period that an event takes. */
export const CalendarEvent = z.strictObject({
  event: z.string().max(200).describe('what the event is called'),
  from: z
    .string()
    .describe('an instant; or, without Z, wall-clock time in the zone of whoever looks, as all-day events are'),
  to: z.string(),
});
export type CalendarEvent = z.infer<typeof CalendarEvent>;

/** A blackout calendar as it was when it was imported: recurrences spelled out, from then until `until`. */
export const Calendar = z.strictObject({
  id: Id,
  importedAt: Instant,
  importedBy: z.string(),
  until: Instant.describe('what lies later is not known'),
  events: z.array(CalendarEvent).max(5000),
});
export type Calendar = z.infer<typeof Calendar>;
