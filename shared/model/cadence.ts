// When a workload's next delta starts.
import { Cron } from 'croner';
import { z } from 'zod';
import { Duration } from './ids.ts';
import { NamedZone, Weekly } from './weekly.ts';

const CronPattern = z
  .string()
  .max(100)
  .refine((pattern) => {
    try {
      return new Cron(pattern, { mode: '5-part', paused: true }).nextRun(new Date(0)) !== null;
    } catch {
      return false;
    }
  }, 'use five fields that come to pass (minute hour day month weekday), such as "0 */4 * * *"');

/** How often deltas come; each beginning counts from the end of the one before, so that they never overlap. */
export const Cadence = z.union(
  [
    z.literal('continuous'),
    Duration,
    z.strictObject({ cron: CronPattern, zone: NamedZone }),
    z.strictObject({
      adaptive: z.strictObject({
        catchUp: Duration.describe('so long may a delta take to carry what has changed since the one before'),
        atLeast: Duration,
        atMost: Duration,
      }),
    }),
  ],
  'use "continuous", a duration such as PT15M, { cron, zone }, or { adaptive: { catchUp, atLeast, atMost } }',
);
export type Cadence = z.infer<typeof Cadence>;

/** When deltas start, in settings. */
export const cadenceSettings = {
  cadence: Cadence.describe('time between the end of one delta and the start of the next'),
  tighten: z
    .strictObject({ within: Duration, cadence: Duration })
    .describe('so long before the next window opens, deltas come at least so often'),
  rpo: Duration.describe('how far replication may be behind its source before that is told'),
  blackouts: z.array(Weekly).max(50).describe('hours in which no initial sync and no delta starts'),
};
