import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';
import { verdictOf } from '../../../shared/policy/commit.ts';
import { Tested } from '../../checks.ts';

/** Keeps what one turn of validation found, in the journal of each workload. */
export const recordTurn = defineActivity({
  name: 'recordTurn',
  input: z.strictObject({
    waveId: z.string(),
    operationId: z.string(),
    turn: z.int(),
    validated: z.array(Tested),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, operationId, turn, validated }) {
    for (const { workloadId, results } of validated)
      await store.workloads.append(waveId, workloadId, [
        {
          id: `${operationId}.turn`,
          time: now(),
          source: 'platform',
          operationId,
          type: 'landfall.validation.judged',
          data: { turn, verdict: verdictOf(results), results },
        },
      ]);
    return null;
  },
});
