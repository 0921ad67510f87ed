// Whether a cutover fits its window, asked before it begins; and what launches took.
import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../shared/durable/activity.ts';
import { Opening } from '../../shared/model/window.ts';
import type { Estimate } from '../../shared/policy/fit/estimate.ts';
import { reasonOf } from '../../shared/policy/windowFit.ts';
import { judgeBatch } from '../../shared/store/fits.ts';

const Seconds = z.strictObject({ expected: z.number(), high: z.number() });

/** The answer to whether a group, or some of its workloads, may cut over now, or when the next window opens. */
const FitAnswer = z.strictObject({
  verdict: z.enum(['fits', 'atRisk', 'cannotFit']),
  window: Opening.nullable().describe('the one that is open, or the next; null: none is left'),
  latestSafeStart: z.string().nullable(),
  nextWindow: Opening.nullable().describe('the next one after it in which the cutover fits'),
  reason: z.string(),
  downtimeSeconds: Seconds,
  undoSeconds: Seconds,
});

export const judgeFit = defineActivity({
  name: 'judgeFit',
  input: z.strictObject({ waveId: z.string(), groupId: z.string(), workloadIds: z.array(z.string()) }),
  output: FitAnswer,
  retry: patientRetry,
  async effect({ store, now }, asked) {
    const fit = await judgeBatch(store, asked, now());
    const { verdict, window, latestSafeStart, nextWindow, path } = fit;
    const times = { downtimeSeconds: inSeconds(path.total), undoSeconds: inSeconds(path.undo) };
    return { verdict, window, latestSafeStart, nextWindow, reason: reasonOf(fit), ...times };
  },
});

function inSeconds({ expectedMs, highMs }: Estimate): z.infer<typeof Seconds> {
  return { expected: Math.round(expectedMs / 1000), high: Math.round(highMs / 1000) };
}

/** Keeps what it took to bring up a machine: the next prediction need not assume it. */
export const recordLaunch = defineActivity({
  name: 'recordLaunch',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    operationId: z.string(),
    purpose: z.enum(['test', 'cutover']),
    importSeconds: z.number(),
    bootSeconds: z.number(),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, workloadId, operationId, ...data }) {
    await store.workloads.append(waveId, workloadId, [
      {
        id: `${operationId}.launched`,
        time: now(),
        source: 'platform',
        operationId,
        type: 'landfall.machine.launched',
        data,
      },
    ]);
    return null;
  },
});
