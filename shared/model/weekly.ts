import { z } from 'zod';

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use a time of day such as 08:00');

/** The name of a place's time: an offset such as +01:00 knows no daylight saving and is refused. */
export const NamedZone = z
  .string()
  .min(1)
  .max(64)
  .refine((zone) => !/^[+-]/.test(zone) && isZone(zone), 'use an IANA time zone such as Europe/Amsterdam or UTC');

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

/** Hours that come again every week by a zone's clock. They end on the next day where `until` is not after `from`. */
export const Weekly = z.strictObject({
  days: z
    .array(z.enum(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']))
    .min(1)
    .max(7)
    .optional()
    .describe('the days on which they begin; every day if absent'),
  from: TimeOfDay,
  until: TimeOfDay,
  zone: NamedZone,
});
export type Weekly = z.infer<typeof Weekly>;
