import { z } from 'zod';
import { defineActivity, Nothing } from '../../shared/durable/activity.ts';
import { workloadOf } from '../../shared/store/plans.ts';
import { dispatchDue, queueSync, withdrawSync } from '../../shared/sync/dispatch.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });

/** Queues a sync under its operation id (idempotent), or says that another one is in flight. */
export const requestSync = defineActivity({
  name: 'requestSync',
  changes: 'what is replicated',
  input: Workload.extend({ kind: z.enum(['initial', 'final']), operationId: z.string() }),
  output: z.strictObject({ queued: z.boolean() }),
  async effect(capabilities, { kind, operationId, ...workload }, { changed }) {
    const { plan } = await workloadOf(capabilities.store, workload);
    const { queued } = await queueSync(capabilities, plan, kind, operationId);
    if (queued) await dispatchDue(capabilities);
    if (queued) changed({ verb: 'requested', object: `${kind} sync of ${plan.source.id}` });
    return { queued };
  },
});

/** Stops the sync in flight, if there is one. What was copied stays. */
export const stopSync = defineActivity({
  name: 'stopSync',
  changes: 'what is replicated',
  input: Workload.extend({ operationId: z.string(), reason: z.string() }),
  output: Nothing,
  async effect(capabilities, { operationId, reason, ...workload }, { changed }) {
    const { plan } = await workloadOf(capabilities.store, workload);
    await withdrawSync(capabilities, plan, operationId, reason);
    changed({ verb: 'stopped', object: `syncs of ${plan.source.id}`, after: reason });
    return null;
  },
});
