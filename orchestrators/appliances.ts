import { z } from 'zod';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { type Span, waitFor } from '../shared/durable/waits.ts';

const Healthy = z.looseObject({
  type: z.literal('landfall.appliance.healthy'),
  data: z.strictObject({ applianceId: z.string(), version: z.string() }),
});

/** Waits until an appliance has enrolled and its first heartbeat was healthy. */
export function* waitUntilHealthy(
  ctx: Ctx,
  operationId: string,
  applianceId: string,
  within: Span,
): Flow<{ applianceId: string; version: string }> {
  const { data } = yield* waitFor(
    ctx,
    operationId,
    Healthy,
    within,
    `a healthy heartbeat of ${applianceId}`,
    'Look at the appliance’s log: it needs HTTPS to this app and AMQP to the Service Bus namespace.',
  );
  return data;
}
