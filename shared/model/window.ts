import { z } from 'zod';
import { Duration, Instant } from './ids.ts';

const WallClock = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/,
    'use local wall-clock time such as 2026-12-05T22:00, and put the zone into "zone"',
  );
const Zone = z.string().min(1).max(64).describe('an IANA time zone such as Europe/Amsterdam');

/** A period in which cutover may run: wall-clock start in an IANA zone, a length, and how often it comes again. */
export const Window = z.strictObject({
  start: WallClock,
  duration: Duration,
  zone: Zone,
  repeat: z
    .string()
    .max(200)
    .optional()
    .describe('an RFC 5545 rule that ends by COUNT or UNTIL, such as FREQ=WEEKLY;BYDAY=SA;COUNT=8'),
});
export type Window = z.infer<typeof Window>;

/** A period in which no cutover may run, whatever the windows say: wall-clock times in an IANA zone. */
export const Freeze = z.strictObject({
  from: WallClock,
  to: WallClock,
  zone: Zone,
  reason: z.string().trim().min(1).max(200),
});
export type Freeze = z.infer<typeof Freeze>;

/** One time that a window is open, as instants. */
export const Opening = z.strictObject({ opens: Instant, closes: Instant });
export type Opening = z.infer<typeof Opening>;

/** A period that is cut out of windows, and by what. */
export const Blackout = Opening.extend({ by: z.string() });
export type Blackout = z.infer<typeof Blackout>;

/** What a group does whose cutover has not come to an end when its window closes; once traffic has moved it always asks. */
export const OnOverrun = z.enum(['ask', 'rollBack']);
export type OnOverrun = z.infer<typeof OnOverrun>;
