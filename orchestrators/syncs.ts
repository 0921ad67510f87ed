import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { sleep, waitUntil } from '../shared/durable/waits.ts';
import { terminal } from '../shared/errors.ts';
import { plusMs } from '../shared/policy/duration.ts';
import { applianceEventData } from '../shared/protocol/events.ts';
import { requestSync } from './syncs/activities.ts';

const Ended = z.looseObject({ type: z.string(), data: z.unknown() });
const Reason = z.looseObject({
  message: z.string().default('the sync was withdrawn'),
  suggestion: z.string().default('Retry when the appliance is healthy.'),
  reason: z.string().optional(),
});
export type CompletedSync = z.infer<(typeof applianceEventData)['landfall.sync.completed']>;

/**
 * Queues a sync and waits until it has completed, for as long as it takes: stalls are the watchdog's business.
 * While another sync of the workload is in flight (single flight) it asks again, for two hours at most: each asking is
 * history, and an appliance that is gone ends nothing.
 */
export function* runSync(
  ctx: Ctx,
  workload: { waveId: string; workloadId: string },
  kind: 'initial' | 'final',
  ...key: (string | number)[]
): Flow<CompletedSync> {
  const operationId = ctx.operationId(`${kind}Sync`, workload.workloadId, ...key);
  const giveUp = plusMs(ctx.now(), 2 * 3_600_000);
  for (let seconds = 1; !(yield* requestSync.call(ctx, { ...workload, kind, operationId })).queued; seconds *= 2) {
    if (ctx.now() >= giveUp)
      throw terminal(
        'syncFailed',
        `The ${kind} sync of ${workload.workloadId} has waited two hours for another sync of it to end.`,
        'Look after its appliance (GET /api/appliances); retry to wait on.',
      );
    yield* sleep(ctx, { seconds: Math.min(60, seconds) });
  }
  const ended = yield* waitUntil(ctx, operationId, Ended, undefined);
  if (ended?.type === 'landfall.sync.completed') return applianceEventData['landfall.sync.completed'].parse(ended.data);
  const { message, suggestion, reason } = Reason.parse(ended?.data ?? {});
  throw terminal('syncFailed', `The ${kind} sync of ${workload.workloadId} failed: ${reason ?? message}`, suggestion);
}
