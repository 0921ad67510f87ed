// What a failure that a step cannot mend means for the others.
import { z } from 'zod';

/** When a step fails for good: wait for people's answer, roll the group back, or let the others of the group go on. */
export const OnFailure = z.enum(['hold', 'rollBack', 'goOn']);
export type OnFailure = z.infer<typeof OnFailure>;

/** How many workloads of a wave may fail before the whole wave pauses: a number of them, or a share of all in percent. */
export const FailureBudget = z.union(
  [z.strictObject({ workloads: z.int().min(0).max(10_000) }), z.strictObject({ percent: z.number().min(0).max(100) })],
  { error: 'give a number of workloads, { workloads: 3 }, or a share of all, { percent: 10 }' },
);
export type FailureBudget = z.infer<typeof FailureBudget>;
