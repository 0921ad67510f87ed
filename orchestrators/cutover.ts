// Steps 9 and 10 for one workload: services stop, the last bytes follow, the source goes off.
import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { cutoverSteps } from './itinerary.ts';
import { hearEarlierOrders } from './orders.ts';
import { ChildOutcome, outcomeOf } from './outcome.ts';
import { type Taken, take } from './saga.ts';

export const cutover = defineOrchestrator({
  name: 'cutover',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), gatedSteps: z.array(z.string()) }),
  output: ChildOutcome,
  *run(ctx, { gatedSteps, ...workload }) {
    ctx.gatedSteps = new Set(gatedSteps);
    yield* hearEarlierOrders(ctx, workload.waveId, undefined);
    const taken: Taken[] = [];
    return yield* outcomeOf(ctx, workload, taken, story(ctx, taken, workload));
  },
});

function* story(ctx: Ctx, taken: Taken[], workload: { waveId: string; workloadId: string }): Flow<void> {
  const subject = { waveId: workload.waveId, workloadIds: [workload.workloadId] };
  for (const step of cutoverSteps) yield* take(ctx, taken, step, workload, subject);
}
