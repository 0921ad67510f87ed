// The way back for one workload: what its children began is undone, last first.
import { z } from 'zod';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { allSteps } from './itinerary.ts';
import { Taken } from './saga.ts';
import { walkBack } from './walkBack.ts';

export const unwind = defineOrchestrator({
  name: 'unwind',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string(), taken: z.array(Taken) }),
  output: z.null(),
  *run(ctx, { waveId, workloadId, taken }) {
    yield* ctx.shielded(walkBack(ctx, taken, allSteps, { waveId, workloadIds: [workloadId] }));
    return null;
  },
});
