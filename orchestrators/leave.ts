// One workload walks back alone and leaves its group; the others go on without it.
import { z } from 'zod';
import { inCrews } from '../shared/durable/crew.ts';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { Interruption, isInterruption } from '../shared/model/control.ts';
import { allSteps } from './itinerary.ts';
import { enterPhase } from './journal/activities.ts';
import { leaveGroup } from './journal/attention/activities.ts';
import { withPoint } from './journal/reads/activities.ts';
import { Taken } from './saga.ts';
import { ttlBack } from './ttl.ts';
import { walkBack } from './walkBack.ts';

interface Workload {
  waveId: string;
  workloadId: string;
}
/** What a workload's own children have begun: steps 4-7, then 9 and 10. */
export interface Own {
  prepared: Taken[];
  cutOver: Taken[];
  /** Its group has recorded that it leaves, and undone what it had begun for it. */
  isGoing?: boolean | undefined;
}

/** Walks one workload back to where its signal leads, and nobody else. Not interruptible. */
export function* walkAlone(
  ctx: Ctx,
  workload: Workload,
  own: Own,
  signal: Interruption,
): Flow<'replicating' | 'withdrawn'> {
  const { waveId, workloadId } = workload;
  const { action, by, reason } = signal;
  const subject = { waveId, workloadIds: [workloadId] };
  if (own.isGoing !== true)
    yield* leaveGroup.call(ctx, { ...workload, operationId: ctx.operationId('left'), action, by, reason });
  yield* ctx.shielded(walkBack(ctx, own.cutOver, allSteps, subject));
  yield* ctx.shielded(ttlBack(ctx, subject, 'back', `${action} by ${by}: ${reason}`));
  const stays = signal.to === 'replicating' && (yield* withPoint.call(ctx, subject)).length > 0;
  const phase = stays ? 'replicating' : 'withdrawn';
  if (!stays) yield* ctx.shielded(walkBack(ctx, own.prepared, allSteps, subject));
  yield* enterPhase.call(ctx, { ...subject, operationId: ctx.operationId('back'), phase, reason });
  return phase;
}

/** The same for a workload of which no child runs. */
export const leave = defineOrchestrator({
  name: 'leave',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    prepared: z.array(Taken),
    cutOver: z.array(Taken),
    isGoing: z.boolean().optional(),
    signal: Interruption,
  }),
  output: z.enum(['replicating', 'withdrawn']),
  *run(ctx, { waveId, workloadId, signal, ...own }) {
    return yield* walkAlone(ctx, { waveId, workloadId }, own, signal);
  },
});

/** Who of these has been told to leave: a rollback that names them is kept by their group. */
function toldToLeave(ctx: Ctx, members: readonly string[]): Map<string, Interruption> {
  const told = new Map<string, Interruption>();
  for (const order of ctx.orders)
    if (isInterruption(order))
      for (const workloadId of order.workloadIds ?? [])
        if (members.includes(workloadId) && !told.has(workloadId)) told.set(workloadId, order);
  return told;
}

interface Group {
  waveId: string;
  groupId: string;
  attempt: number;
}
type Begun = { prepared: Record<string, Taken[]>; cutOver: Record<string, Taken[]> };
type Gone = Map<string, 'replicating' | 'withdrawn'>;

/** Lets those members of a group go who have been told to leave while none of their children ran. Returns where they are then. */
export function* letGo(ctx: Ctx, group: Group, members: readonly string[], begun: Begun): Flow<Gone> {
  return yield* walkEachAlone(ctx, group, toldToLeave(ctx, members), begun);
}

/** Walks members of a group back, each alone. `isGoing`: the group has begun to let them go itself. */
export function* walkEachAlone(
  ctx: Ctx,
  { waveId, groupId, attempt }: Group,
  told: ReadonlyMap<string, Interruption>,
  begun: Begun,
  isGoing = false,
): Flow<Gone> {
  const gone: Gone = new Map();
  if (told.size === 0) return gone;
  const instanceOf = (workloadId: string) => `leave-${waveId}.${workloadId}-${attempt}`;
  const stage = [...told].map(([workloadId, signal]) => ({
    instanceId: instanceOf(workloadId),
    input: {
      ...{ waveId, workloadId, signal, ...(isGoing ? { isGoing } : {}) },
      ...{ prepared: begun.prepared[workloadId] ?? [], cutOver: begun.cutOver[workloadId] ?? [] },
    },
  }));
  const crewed = { waveId, id: `crew-${waveId}.${groupId}-${attempt}-leave` };
  for (const [instanceId, phase] of yield* inCrews(ctx, leave, [stage], crewed))
    for (const workloadId of told.keys()) if (instanceId === instanceOf(workloadId)) gone.set(workloadId, phase);
  return gone;
}
