import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';

const Lease = z.strictObject({ environmentId: z.string(), waveId: z.string() });

export const leaseEnvironment = defineActivity({
  name: 'leaseEnvironment',
  input: Lease,
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { environmentId, waveId }) {
    await store.environments.lease(environmentId, waveId, now());
    return null;
  },
});

/** Gives the lease back and says how many other waves still hold one. */
export const releaseEnvironment = defineActivity({
  name: 'releaseEnvironment',
  input: Lease,
  output: z.int(),
  retry: patientRetry,
  async effect({ store }, { environmentId, waveId }) {
    return store.environments.release(environmentId, waveId);
  },
});
