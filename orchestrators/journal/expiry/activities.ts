import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';
import { Failure } from '../../../shared/errors.ts';

export const ExpiredGroup = z.strictObject({ groupId: z.string(), workloadIds: z.array(z.string()) });

/** Tells how the removal of clones has ended whose time was over. */
export const recordExpiry = defineActivity({
  name: 'recordExpiry',
  input: z.strictObject({
    waveId: z.string(),
    operationId: z.string(),
    groups: z.array(ExpiredGroup),
    failure: Failure.optional(),
  }),
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { waveId, operationId, groups, failure }) {
    const type = failure === undefined ? 'landfall.clones.removed' : 'landfall.clones.removalFailed';
    const data = { groups, ...(failure === undefined ? {} : { failure }) };
    await store.journal.append(waveId, [{ id: operationId, time: now(), source: 'platform', type, operationId, data }]);
    return null;
  },
});
