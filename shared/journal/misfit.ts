import { z } from 'zod';

/** What can be wrong with an entry, or with what stands beside a journal. `altered`: content, place or predecessor. */
const Fault = z.enum([
  'altered',
  'missing',
  'doubled',
  'truncated',
  'behindHead',
  'headForged',
  'stateForged',
  'anchor',
  'gone',
]);

/** The first entry of a journal that does not fit, and why. */
export const Misfit = z.strictObject({
  workloadId: z.string().optional().describe('whose journal; absent for the wave’s own'),
  code: Fault,
  version: z.int().optional().describe('the place in the journal'),
  entryId: z.string().optional(),
  reason: z.string(),
});
export type Misfit = z.infer<typeof Misfit>;
