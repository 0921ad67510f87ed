import { z } from 'zod';
import { defineActivity } from '../../../shared/durable/activity.ts';
import { errorCodes } from '../../../shared/errors.ts';
import { Phase } from '../../../shared/lifecycle/phases.ts';
import { closeEnough, lagMs } from '../../../shared/policy/lag.ts';
import { mayStart } from '../../../shared/policy/openings.ts';
import { waveOf, workloadOf } from '../../../shared/store/plans.ts';

/** The last look before services stop: is the window open, and is replication close enough behind? */
export const goNoGo = defineActivity({
  name: 'goNoGo',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  output: z.strictObject({
    lagSeconds: z.number(),
    refusal: z.strictObject({ code: z.enum(errorCodes), message: z.string(), suggestion: z.string() }).optional(),
  }),
  async effect({ store, now }, workload) {
    const { plan, state } = await workloadOf(store, workload);
    const { windows } = (await waveOf(store, workload.waveId)).plan;
    const lagSeconds = Math.round((lagMs(state.points, now()) ?? 0) / 1000);
    const start = mayStart(now(), windows);
    const { maxLagAtCutover } = plan.settings.sync;
    if (!start.may)
      return {
        lagSeconds,
        refusal: {
          code: 'windowClosed' as const,
          message: `${plan.workloadId} may not cut over now: ${start.reason}.`,
          suggestion: 'Cancel this wave and plan a new one with another window.',
        },
      };
    // Once services are stopping, waiting for a delta would only prolong the outage: the final sync catches up.
    const begun = (state.remembered ?? state.phase) === Phase.stoppingServices;
    if (!begun && !closeEnough(state.points, maxLagAtCutover, now()))
      return {
        lagSeconds,
        refusal: {
          code: 'lagTooLarge' as const,
          message: `${plan.workloadId} is ${lagSeconds} s behind its source; the plan allows ${maxLagAtCutover}.`,
          suggestion: 'Wait for a delta to complete, then retry.',
        },
      };
    return { lagSeconds };
  },
});
