import { z } from 'zod';
import { defineStep } from '../../../shared/durable/step.ts';
import { terminal } from '../../../shared/errors.ts';
import { stopSync } from '../../syncs/activities.ts';
import { runSync } from '../../syncs.ts';
import { createStaging, latestPoint } from './activities.ts';

/** Step 6: a staging blob per disk, then every block, verified, ending in the first point. A workload that has a point keeps it. */
export const initialSync = defineStep({
  number: 6,
  name: 'initialSync',
  scope: 'workload',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  before: z.strictObject({ root: z.string().optional() }),
  output: z.strictObject({ root: z.string(), bytes: z.number(), resumed: z.boolean() }),
  *capture(ctx, workload) {
    const point = yield* latestPoint.call(ctx, workload);
    return point === null ? {} : { root: point.root };
  },
  *run(ctx, workload, { root }, attempt) {
    if (root !== undefined) return { root, bytes: 0, resumed: true };
    yield* createStaging.call(ctx, workload);
    const sync = yield* runSync(ctx, workload, 'initial', attempt);
    return {
      root: sync.root,
      bytes: sync.disks.reduce((sum, disk) => sum + disk.changedBytes, 0),
      resumed: sync.resumed,
    };
  },
  *verify(ctx, workload, { root }) {
    const point = yield* latestPoint.call(ctx, workload);
    // Deltas may have gone on meanwhile: any point will do, as long as there is one.
    if (point !== null) return point;
    throw terminal(
      'syncFailed',
      `The initial sync of ${workload.workloadId} has ended with root ${root}, but no point of it is on record.`,
      'Retry: what is copied already is not copied again.',
    );
  },
  *undo(ctx, workload) {
    // Staged points stay until a recorded decision or their expiry; only the copying ends.
    yield* stopSync.call(ctx, {
      ...workload,
      operationId: ctx.operationId('stopSync', workload.workloadId),
      reason: 'the initial sync is undone',
    });
  },
  todo: ({ workloadId }) => [`stop the initial sync of ${workloadId} at its appliance`],
});
