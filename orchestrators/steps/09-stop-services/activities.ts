import { z } from 'zod';
import type { Capabilities } from '../../../shared/capabilities.ts';
import { defineActivity } from '../../../shared/durable/activity.ts';
import { errorCodes } from '../../../shared/errors.ts';
import { Phase } from '../../../shared/lifecycle/phases.ts';
import { shortfalls } from '../../../shared/policy/capacity.ts';
import { closeEnough, lagMs } from '../../../shared/policy/lag.ts';
import { clearAtOf } from '../../../shared/policy/windowFit.ts';
import type { WorkloadDocument } from '../../../shared/store/documents.ts';
import { judgeBeginning } from '../../../shared/store/fits.ts';
import { environmentOf } from '../../../shared/store/plans.ts';

const Refusal = z.strictObject({ code: z.enum(errorCodes), message: z.string(), suggestion: z.string() });
type Refusal = z.infer<typeof Refusal>;
const Go = z.strictObject({
  lagSeconds: z.number(),
  /** The downtime that is predicted, where there is something to predict it from. */
  predicted: z.strictObject({ expectedSeconds: z.number(), highSeconds: z.number() }).optional(),
  /** The latest safe start: no service is told to stop after it. */
  notAfter: z.string().optional(),
  refusal: Refusal.optional(),
});
export type Go = z.infer<typeof Go>;

/**
 * The last look before services stop: is a window open, does what is left fit into it, has the region room for the
 * targets, is replication close enough behind?
 */
export const goNoGo = defineActivity({
  name: 'goNoGo',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  output: Go,
  async effect({ store, azure, now }, workload): Promise<Go> {
    const { waveId, workloadId } = workload;
    const at = now();
    const beginning = { waveId, workloadIds: [workloadId], part: 'stopServices' } as const;
    const { fit, late, notAfter, next, concerned, memberOf } = await judgeBeginning(store, beginning, at);
    const { plan, state } = memberOf(workloadId);
    const lagSeconds = Math.round((lagMs(state.points, at) ?? 0) / 1000);
    const refuse = (code: Refusal['code'], message: string, suggestion: string): Go => ({
      lagSeconds,
      refusal: { code, message, suggestion },
    });
    if (late !== undefined)
      return refuse(
        'windowClosed',
        `${workloadId} may not cut over now: ${late}.`,
        next === null
          ? 'Roll back; a new wave may have other windows.'
          : 'Retry once the next window is open, or roll back.',
      );
    const missing = await missingRoom({ store, azure }, plan.environmentId, concerned);
    if (missing !== undefined)
      return refuse(
        'quotaExceeded',
        `${workloadId} may not cut over now: ${missing.message}`,
        `${missing.suggestion} Then retry, or roll back.`,
      );
    const clearAt = clearAtOf([{ state }], at);
    if (clearAt !== at)
      return refuse(
        'ttlNotRunOut',
        `Clients may have old answers of the records of ${workloadId} until ${clearAt}.`,
        'Retry once these have run out.',
      );
    // Once services are stopping, waiting for a delta would only prolong the outage: the final sync catches up.
    const begun = (state.remembered ?? state.phase) === Phase.stoppingServices;
    const { maxLagAtCutover } = plan.settings.sync;
    if (!begun && !closeEnough(state.points, maxLagAtCutover, at))
      return refuse(
        'lagTooLarge',
        `${workloadId} is ${lagSeconds} s behind its source; the plan allows ${maxLagAtCutover}.`,
        'Wait for a delta to complete, then retry.',
      );
    const downtime = fit.path.downtime[workloadId];
    if (downtime === undefined) return { lagSeconds, notAfter };
    const [expectedSeconds, highSeconds] = [downtime.expectedMs / 1000, downtime.highMs / 1000];
    return { lagSeconds, notAfter, predicted: { expectedSeconds, highSeconds } };
  },
});

/** What the region lacks for the targets that are still to be launched. Where it may not be asked, the launch will tell. */
async function missingRoom(
  { store, azure }: Pick<Capabilities, 'store' | 'azure'>,
  environmentId: string,
  workloads: readonly WorkloadDocument[],
): Promise<{ message: string; suggestion: string } | undefined> {
  const capacity = await azure.capacity(await environmentOf(store, environmentId));
  if (!capacity.known) return undefined;
  const ahead = workloads.filter(({ state }) => (state.remembered ?? state.phase) !== Phase.launching);
  const missing = shortfalls(
    ahead.map(({ plan }) => plan.settings.sizing.vmSize),
    capacity.facts,
  );
  return missing[0] && { message: missing.map(({ message }) => message).join(' '), suggestion: missing[0].suggestion };
}
