// Steps 4-7 for one workload: from a name in the inventory to disks that stay in step.
import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { Interruption } from '../shared/model/control.ts';
import { OnFailure } from '../shared/model/failurePolicy.ts';
import { ChildOutcome, outcomeOf } from './child.ts';
import { prepareSteps } from './itinerary.ts';
import { enterPhase } from './journal/activities.ts';
import { phaseOf } from './journal/reads/activities.ts';
import { hearEarlierOrders } from './orders.ts';
import { rearm, type Taken, take } from './saga.ts';

const Input = z.strictObject({
  waveId: z.string(),
  workloadId: z.string(),
  method: z.enum(['agent', 'agentless']),
  gatedSteps: z.array(z.string()),
  onFailure: OnFailure,
  ordered: Interruption.optional(),
});

export const prepare = defineOrchestrator({
  name: 'prepare',
  input: Input,
  output: ChildOutcome,
  *run(ctx, { waveId, workloadId, method, gatedSteps, onFailure, ordered }) {
    ctx.gatedSteps = new Set(gatedSteps);
    yield* hearEarlierOrders(ctx, waveId, ordered);
    const taken: Taken[] = [];
    const workload = { waveId, workloadId };
    const own = { prepared: taken, cutOver: [] };
    return yield* outcomeOf(ctx, workload, own, taken, story(ctx, taken, workload, method, onFailure));
  },
});

function* story(
  ctx: Ctx,
  taken: Taken[],
  workload: { waveId: string; workloadId: string },
  method: 'agent' | 'agentless',
  onFailure: OnFailure,
): Flow<void> {
  const subject = { waveId: workload.waveId, workloadIds: [workload.workloadId] };
  const phase = yield* phaseOf.call(ctx, workload);
  const resumed = phase !== 'registered' && phase !== 'withdrawn';
  if (!resumed)
    yield* enterPhase.call(ctx, {
      ...subject,
      operationId: ctx.operationId('preparing'),
      phase: 'preparing',
      reason: 'the wave has started',
    });
  // What an earlier attempt did is this one's to undo, even if it never comes to do anything itself.
  else {
    const made = prepareSteps[method].map((step) => ({ step, input: workload }));
    yield* ctx.shielded(rearm(ctx, taken, made, subject));
  }
  for (const step of prepareSteps[method]) yield* take(ctx, taken, step, workload, subject, onFailure);
  if (!resumed)
    yield* enterPhase.call(ctx, {
      ...subject,
      operationId: ctx.operationId('replicating'),
      phase: 'replicating',
      reason: 'the initial sync is done',
    });
}
