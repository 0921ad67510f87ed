// Orders to what runs. An interruption ends a story and leads back; every other order is kept by whoever hears it and
// heeded where that is safe.
import { z } from 'zod';
import { Id, Instant } from './ids.ts';

const given = { by: z.string(), reason: z.string() };
/** Which order it is, and when it was given: the feed repeats itself, and what it tells may overtake what came before. */
const stamp = { id: z.string(), at: Instant };
const workloadIds = z.array(Id).min(1);

/** Walk back. With `workloadIds` only these leave their group; without, everything that is addressed does. */
export const Interruption = z.strictObject({
  action: z.enum(['rollback', 'cancel']),
  to: z.enum(['replicating', 'withdrawn']),
  ...given,
  id: stamp.id.optional(),
  at: stamp.at.optional(),
  workloadIds: workloadIds.optional(),
  /** Said by an approver: what the target has taken in since traffic moved may be lost. */
  acceptDataLoss: z.boolean().optional(),
});
export type Interruption = z.infer<typeof Interruption>;

const Pause = z.strictObject({
  action: z.literal('pause'),
  ...given,
  ...stamp,
  workloadIds: workloadIds.optional(),
  deltas: z.enum(['goOn', 'stop']).describe('whether deltas go on while it is paused'),
});
const Resume = z.strictObject({
  action: z.literal('resume'),
  ...given,
  ...stamp,
  workloadIds: workloadIds.optional(),
});
export type Pause = z.infer<typeof Pause>;
export type Rest = Pause | z.infer<typeof Resume>;

/** What a person or a policy tells running orchestrations. */
export const ControlSignal = z.discriminatedUnion('action', [
  Interruption,
  Pause,
  Resume,
  z.strictObject({ action: z.literal('rush'), ...given, ...stamp, workloadIds }).describe('cut these over first'),
  z.strictObject({ action: z.literal('defer'), ...given, ...stamp, workloadIds }).describe('cut these over later'),
  z.strictObject({ action: z.literal('revalidate'), ...given, ...stamp }).describe('run the checks of step 12 again'),
]);
export type ControlSignal = z.infer<typeof ControlSignal>;

export function isInterruption(signal: ControlSignal): signal is Interruption {
  return signal.action === 'rollback' || signal.action === 'cancel';
}

/** Whether an order withdraws all that it is for, and not single workloads of it. */
export function withdrawsAll(signal: ControlSignal): signal is Interruption {
  return isInterruption(signal) && signal.to === 'withdrawn' && signal.workloadIds === undefined;
}

/** Which of pause and resume stands: the one that was given last, in whatever order they arrived. */
export function latestRest(orders: readonly ControlSignal[]): Rest | undefined {
  let latest: Rest | undefined;
  for (const order of orders)
    if (order.action === 'pause' || order.action === 'resume')
      if (latest === undefined || `${order.at} ${order.id}` > `${latest.at} ${latest.id}`) latest = order;
  return latest;
}
