// The reversible actions of step 11, each workload's by a child of its own: in the plan's order, to their end once begun.
import { z } from 'zod';
import { inCrews } from '../../../shared/durable/crew.ts';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineOrchestrator } from '../../../shared/durable/orchestrator.ts';
import { terminal } from '../../../shared/errors.ts';
import { failedTogether, failuresOf, succeeded, WorkOutcome, workOutcome } from '../../outcome.ts';
import { ActionBefore, Applied, applyAction, listActions, undoAction, undoneActions } from './activities.ts';

export const act = defineOrchestrator({
  name: 'act',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    moveTraffic: z.boolean(),
    leaveOut: z.array(z.string()),
  }),
  output: WorkOutcome.extend({ applied: z.array(Applied) }),
  *run(ctx, { moveTraffic, leaveOut, ...workload }) {
    const applied: Applied[] = [];
    const outcome = yield* workOutcome(applyThem(ctx, workload, { moveTraffic, leaveOut }, applied));
    return { ...outcome, applied };
  },
});

function* applyThem(
  ctx: Ctx,
  workload: { waveId: string; workloadId: string },
  which: { moveTraffic: boolean; leaveOut: string[] },
  applied: Applied[],
): Flow<void> {
  for (const index of yield* listActions.call(ctx, { ...workload, ...which }))
    applied.push(yield* applyAction.call(ctx, { ...workload, index }));
}

interface Group {
  waveId: string;
  groupId: string;
  attempt: number;
  tiers: string[][];
}

/** Does the actions of all workloads, tier after tier: those that move traffic, or the others without some names. */
export function* actAll(
  ctx: Ctx,
  { waveId, groupId, attempt, tiers }: Group,
  moveTraffic: boolean,
  leaveOut: string[] = [],
): Flow<Applied[]> {
  const what = moveTraffic ? 'traffic' : 'act';
  const turn = ctx.nextCount(what);
  const instanceId = (workloadId: string) => `${what}-${waveId}.${workloadId}-${attempt}-${turn}`;
  const stages = tiers.map((tier) =>
    tier.map((workloadId) => ({
      instanceId: instanceId(workloadId),
      input: { waveId, workloadId, moveTraffic, leaveOut },
    })),
  );
  const outcomes = yield* inCrews(ctx, act, stages, { waveId, id: `crew-${waveId}.${groupId}-${attempt}-${what}` });
  const failed = failedTogether(failuresOf(outcomes, tiers.flat(), instanceId));
  if (failed !== undefined) throw failed;
  return [...outcomes.values()].flatMap(({ applied }) => applied);
}

/** What the actions of one workload found is put back, the last first. */
export const actBack = defineOrchestrator({
  name: 'actBack',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), found: z.array(ActionBefore) }),
  output: WorkOutcome,
  *run(ctx, { waveId, found }) {
    return yield* workOutcome(putBack(ctx, waveId, found));
  },
});

function* putBack(ctx: Ctx, waveId: string, found: readonly ActionBefore[]): Flow<void> {
  for (const { workloadId, index, before } of found.toReversed())
    yield* undoAction.call(ctx, { waveId, workloadId, index, before });
}

/** Puts back what the actions of all workloads found, backwards: the traffic first, then the others. */
export function* actAllBack(ctx: Ctx, group: Group, found: readonly ActionBefore[]): Flow<void> {
  yield* back(
    ctx,
    group,
    'trafficBack',
    found.filter(({ movesTraffic }) => movesTraffic),
  );
  yield* back(
    ctx,
    group,
    'actBack',
    found.filter(({ movesTraffic }) => !movesTraffic),
  );
}

function* back(
  ctx: Ctx,
  { waveId, groupId, attempt, tiers }: Group,
  what: string,
  found: readonly ActionBefore[],
): Flow<WorkOutcome[]> {
  const turn = ctx.nextCount(what);
  const stages = tiers.toReversed().map((tier) =>
    tier.flatMap((workloadId) => {
      const own = found.filter((each) => each.workloadId === workloadId);
      const instanceId = `${what}-${waveId}.${workloadId}-${attempt}-${turn}`;
      return own.length === 0 ? [] : [{ instanceId, input: { waveId, workloadId, found: own } }];
    }),
  );
  const crew = { waveId, id: `crew-${waveId}.${groupId}-${attempt}-${what}` };
  return succeeded(yield* inCrews(ctx, actBack, stages, crew));
}

/** Looks whether what was done for one workload still stands. */
export const confirm = defineOrchestrator({
  name: 'confirm',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), names: z.array(z.string()) }),
  output: WorkOutcome.extend({ undone: z.array(z.string()) }),
  *run(ctx, input) {
    const undone: string[] = [];
    const outcome = yield* workOutcome(lookAt(ctx, input, undone));
    return { ...outcome, undone: undone.map((what) => `${input.workloadId}: ${what}`) };
  },
});

function* lookAt(ctx: Ctx, input: Parameters<typeof undoneActions.call>[1], undone: string[]): Flow<void> {
  undone.push(...(yield* undoneActions.call(ctx, input)));
}

/** Throws unless all that was done for the group's workloads still stands. */
export function* confirmAll(ctx: Ctx, { waveId, groupId, attempt, tiers }: Group, applied: Applied[]): Flow<void> {
  const turn = ctx.nextCount('confirm');
  const members = tiers.flat().map((workloadId) => ({
    instanceId: `confirm-${waveId}.${workloadId}-${attempt}-${turn}`,
    input: {
      ...{ waveId, workloadId },
      names: applied.filter((each) => each.workloadId === workloadId).map(({ action }) => action),
    },
  }));
  const crew = { waveId, id: `crew-${waveId}.${groupId}-${attempt}-confirm` };
  const undone = succeeded(yield* inCrews(ctx, confirm, [members], crew)).flatMap((outcome) => outcome.undone);
  if (undone.length > 0)
    throw terminal(
      'azureRejected',
      `What the cutover has set does not stand: ${undone.join('; ')}.`.slice(0, 2000),
      'Find who changes it back, keep that from it, then retry; or roll back.',
    );
}
