// Steps 9 and 10 for one workload: services stop, the last bytes follow, the source goes off.
import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { OnFailure } from '../shared/model/failurePolicy.ts';
import { ChildOutcome, outcomeOf } from './child.ts';
import { cutoverSteps } from './itinerary.ts';
import { hearEarlierOrders } from './orders.ts';
import { Taken, take } from './saga.ts';

export const cutover = defineOrchestrator({
  name: 'cutover',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    gatedSteps: z.array(z.string()),
    onFailure: OnFailure,
    /** What steps 4-7 have begun, should it leave its group. */
    prepared: z.array(Taken),
  }),
  output: ChildOutcome,
  *run(ctx, { waveId, workloadId, gatedSteps, onFailure, prepared }) {
    ctx.gatedSteps = new Set(gatedSteps);
    yield* hearEarlierOrders(ctx, waveId, undefined);
    const workload = { waveId, workloadId };
    const taken: Taken[] = [];
    const own = { prepared, cutOver: taken };
    return yield* outcomeOf(ctx, workload, own, taken, story(ctx, taken, workload, onFailure));
  },
});

function* story(
  ctx: Ctx,
  taken: Taken[],
  workload: { waveId: string; workloadId: string },
  onFailure: OnFailure,
): Flow<void> {
  const subject = { waveId: workload.waveId, workloadIds: [workload.workloadId] };
  for (const step of cutoverSteps) yield* take(ctx, taken, step, workload, subject, onFailure);
}
