import { z } from 'zod';
import { immediately } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { recordStep } from '../../journal/activities.ts';
import { stopSync } from '../../syncs/activities.ts';

/** Step 7: opens the workload to the delta timer. The deltas themselves cost this orchestration nothing. */
export const deltaSyncs = defineStep({
  number: 7,
  name: 'deltaSyncs',
  scope: 'workload',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  before: z.strictObject({}),
  output: z.strictObject({ startedBy: z.literal('timer') }),
  capture: () => immediately({}),
  *run(ctx, { waveId, workloadId }, _before, attempt) {
    const operationId = ctx.operationId('openToDeltas', workloadId, attempt);
    yield* recordStep.call(ctx, {
      waveId,
      workloadIds: [workloadId],
      operationId,
      what: { type: 'landfall.sync.unpaused', data: { reason: 'the initial sync is done' } },
    });
    return { startedBy: 'timer' as const };
  },
  *undo(ctx, { waveId, workloadId }) {
    const operationId = ctx.operationId('closeToDeltas', workloadId);
    yield* stopSync.call(ctx, { waveId, workloadId, operationId, reason: 'the workload is withdrawn' });
    yield* recordStep.call(ctx, {
      waveId,
      workloadIds: [workloadId],
      operationId,
      what: { type: 'landfall.sync.paused', data: { reason: 'the workload is withdrawn' } },
    });
  },
  todo: ({ workloadId }) => [`stop the deltas of ${workloadId} at its appliance`],
});
