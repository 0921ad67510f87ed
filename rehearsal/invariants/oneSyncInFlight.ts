import type { Invariant } from './invariant.ts';

export const oneSyncInFlight: Invariant = {
  number: 6,
  says: 'one sync in flight per workload',
  watch: ({ appliances }) => ({
    changed: ({ kind, id }) => {
      const running = kind === 'sync' ? appliances.syncing(id) : [];
      return running.length > 1 ? [`${id} is read by ${running.length} syncs at once: ${running.join(', ')}`] : [];
    },
  }),
};
