// Whether a cutover fits its window, asked before it begins and before each workload stops; and what launches took.
import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../shared/durable/activity.ts';
import { terminal } from '../../shared/errors.ts';
import { Phase } from '../../shared/lifecycle/phases.ts';
import { Opening } from '../../shared/model/window.ts';
import type { Estimate } from '../../shared/policy/fit/estimate.ts';
import { type GroupFit, judgeGroup, reasonOf } from '../../shared/policy/windowFit.ts';
import type { Store } from '../../shared/store/contract.ts';
import { waveOf, workloadOf } from '../../shared/store/plans.ts';

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
  async effect({ store, now }, { waveId, groupId, workloadIds }) {
    const fit = await groupFit(store, waveId, groupId, workloadIds, now());
    const { verdict, window, latestSafeStart, nextWindow, path } = fit;
    const times = { downtimeSeconds: inSeconds(path.total), undoSeconds: inSeconds(path.undo) };
    return { verdict, window, latestSafeStart, nextWindow, reason: reasonOf(fit), ...times };
  },
});

/** Phases of a workload that has been told to cut over and is not through. */
const underWay: ReadonlySet<Phase> = new Set([
  Phase.cutoverQueued,
  Phase.stoppingServices,
  Phase.finalSync,
  Phase.sourceOff,
  Phase.launching,
]);

/** Who of a group cuts over together with one of it: those that stay behind, deferred or held, cost no time. */
export async function cuttingOver(
  store: Store,
  waveId: string,
  groupId: string,
  workloadId: string,
): Promise<string[]> {
  const members = (await groupOf(store, waveId, groupId)).tiers.flat();
  const workloads = await Promise.all(members.map((id) => workloadOf(store, { waveId, workloadId: id })));
  return workloads
    .filter((one) => one.workloadId === workloadId || underWay.has(one.state.remembered ?? one.state.phase))
    .map((one) => one.workloadId);
}

/** Predicts and judges the cutover of some of a group's workloads. */
export async function groupFit(
  store: Store,
  waveId: string,
  groupId: string,
  workloadIds: readonly string[],
  now: string,
): Promise<GroupFit> {
  const { tiers, windows } = await groupOf(store, waveId, groupId);
  const members = tiers.flat().filter((id) => workloadIds.includes(id));
  const facts = await Promise.all(members.map((workloadId) => workloadOf(store, { waveId, workloadId })));
  return judgeGroup(tiers, facts, windows, now);
}

async function groupOf(
  store: Store,
  waveId: string,
  groupId: string,
): Promise<{ tiers: string[][]; windows: Opening[] }> {
  const { plan } = await waveOf(store, waveId);
  const group = plan.groups.find(({ id }) => id === groupId);
  if (group === undefined)
    throw terminal('notFound', `Wave ${waveId} has no group ${groupId}.`, 'Check the name of the group.');
  return { tiers: group.tiers, windows: plan.windows };
}

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
