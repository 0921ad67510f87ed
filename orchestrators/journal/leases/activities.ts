import { z } from 'zod';
import { defineActivity, Nothing, patientRetry } from '../../../shared/durable/activity.ts';

const Lease = z.strictObject({
  environmentId: z.string(),
  waveId: z.string(),
  holder: z.string().optional().describe('who holds it, where that is not the wave itself'),
});

export const leaseEnvironment = defineActivity({
  name: 'leaseEnvironment',
  changes: 'the lease of an environment',
  input: Lease,
  output: Nothing,
  retry: patientRetry,
  async effect({ store, now }, { environmentId, waveId, holder = waveId }, { changed }) {
    await store.environments.lease(environmentId, holder, now());
    changed({ verb: 'leased', object: `environment ${environmentId}` });
    return null;
  },
});

/** Gives the lease back and says how many other waves still hold one. */
export const releaseEnvironment = defineActivity({
  name: 'releaseEnvironment',
  changes: 'the lease of an environment',
  input: Lease,
  output: z.int(),
  retry: patientRetry,
  async effect({ store }, { environmentId, waveId, holder = waveId }, { changed }) {
    const others = await store.environments.release(environmentId, holder);
    changed({ verb: 'released', object: `environment ${environmentId}`, after: { others } });
    return others;
  },
});

/** Who holds a lease of an environment now. */
export const holdersOf = defineActivity({
  name: 'holdersOf',
  input: Lease.pick({ environmentId: true }),
  output: z.array(z.string()),
  retry: patientRetry,
  effect: ({ store }, { environmentId }) => store.environments.holders(environmentId),
});
