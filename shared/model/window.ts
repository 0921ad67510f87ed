import { z } from 'zod';
import { Duration } from './ids.ts';

/** A period in which cutover may run: wall-clock start in an IANA zone, and a length. */
export const Window = z.strictObject({
  start: z
    .string()
    .regex(
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/,
      'use local wall-clock time such as 2026-12-05T22:00, and put the zone into "zone"',
    ),
  duration: Duration,
  zone: z.string().min(1).max(64).describe('an IANA time zone such as Europe/Amsterdam'),
});
export type Window = z.infer<typeof Window>;
