// The reversible actions of step 11, each workload's by a child of its own: in the plan's order, to their end once begun.
import { z } from 'zod';
import { inCrews } from '../../../shared/durable/crew.ts';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineOrchestrator } from '../../../shared/durable/orchestrator.ts';
import { succeeded, WorkOutcome, workOutcome } from '../../outcome.ts';
import { Applied, applyAction, listActions } from './activities.ts';

export const act = defineOrchestrator({
  name: 'act',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), moveTraffic: z.boolean() }),
  output: WorkOutcome.extend({ applied: z.array(Applied) }),
  *run(ctx, { moveTraffic, ...workload }) {
    const applied: Applied[] = [];
    const outcome = yield* workOutcome(applyThem(ctx, workload, moveTraffic, applied));
    return { ...outcome, applied };
  },
});

function* applyThem(
  ctx: Ctx,
  workload: { waveId: string; workloadId: string },
  moveTraffic: boolean,
  applied: Applied[],
): Flow<void> {
  for (const index of yield* listActions.call(ctx, { ...workload, moveTraffic }))
    applied.push(yield* applyAction.call(ctx, { ...workload, index }));
}

/** Does the actions of all workloads, tier after tier: those that move traffic, or the others. */
export function* actAll(
  ctx: Ctx,
  { waveId, groupId, attempt, tiers }: { waveId: string; groupId: string; attempt: number; tiers: string[][] },
  moveTraffic: boolean,
): Flow<Applied[]> {
  const what = moveTraffic ? 'traffic' : 'act';
  const turn = ctx.nextCount(what);
  const stages = tiers.map((tier) =>
    tier.map((workloadId) => ({
      instanceId: `${what}-${waveId}.${workloadId}-${attempt}-${turn}`,
      input: { waveId, workloadId, moveTraffic },
    })),
  );
  const outcomes = yield* inCrews(ctx, act, stages, { waveId, id: `crew-${waveId}.${groupId}-${attempt}-${what}` });
  return succeeded(outcomes).flatMap(({ applied }) => applied);
}
