import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { stagingBlobName } from '../../../shared/model/plan.ts';
import { environmentOf, ownership, workloadOf } from '../../../shared/store/plans.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });

/** The newest completed sync of a workload, or null. */
export const latestPoint = defineActivity({
  name: 'latestPoint',
  input: Workload,
  output: z.strictObject({ root: z.string(), completedAt: z.string() }).nullable(),
  async effect({ store }, workload) {
    const point = (await workloadOf(store, workload)).state.points.at(-1);
    return point === undefined ? null : { root: point.root, completedAt: point.completedAt };
  },
});

export const createStaging = defineActivity({
  name: 'createStaging',
  changes: 'staging blobs',
  input: Workload,
  output: Nothing,
  async effect({ store, azure, now }, workload, { changed }) {
    const { plan } = await workloadOf(store, workload);
    const environment = await environmentOf(store, plan.environmentId);
    for (const { id, sizeBytes } of plan.source.disks) {
      const blob = stagingBlobName(plan, id);
      await azure.staging.ensureBlob(environment, blob, sizeBytes, ownership(plan.waveId, plan.workloadId, now()));
      changed({ verb: 'ensured', object: `blob ${blob}`, after: { sizeBytes } });
    }
    return null;
  },
});
