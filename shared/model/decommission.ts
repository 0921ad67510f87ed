// What becomes of staged points and sources once their workloads have committed: nothing, until people have said so.
import { z } from 'zod';
import { Duration, Instant } from './ids.ts';

/** Of a wave: how long points and sources are kept after a commit before people are asked about them. */
export const Decommission = z.strictObject({
  after: Duration.default('P14D').describe('from the commit to the question, and from a rejection to the next one'),
});
export type Decommission = z.infer<typeof Decommission>;

/** Where the decommissioning of one group stands: when people are asked next, and the orchestration that asks them now. */
const GroupStanding = z.strictObject({ dueAt: Instant.optional(), asking: z.string().optional() });

/** Of a wave, by group: only those that have something to be asked about. */
export const DecommissionStanding = z.record(z.string(), GroupStanding);
export type DecommissionStanding = z.infer<typeof DecommissionStanding>;
