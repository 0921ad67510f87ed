import { z } from 'zod';
import { immediately } from '../shared/durable/flow.ts';
import { defineStep } from '../shared/durable/step.ts';
import { retireAgentsOf } from './appliances/activities.ts';

/**
 * The end of the agents whose workloads have committed: their rights go. Only its undo does anything: it is the way out
 * of step 4 for sources that are off, and fails and is retried as any undo.
 */
export const retireAgents = defineStep({
  number: 4,
  name: 'retireAgents',
  scope: 'environment',
  input: z.strictObject({ waveId: z.string() }),
  before: z.strictObject({}),
  output: z.strictObject({}),
  capture: () => immediately({}),
  run: () => immediately({}),
  *undo(ctx, { waveId }) {
    yield* retireAgentsOf.call(ctx, { waveId });
  },
});
