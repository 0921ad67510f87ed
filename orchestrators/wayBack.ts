// The way back of a group. Who has committed stays committed, who has left is back already; everybody else walks back.
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import type { Interruption } from '../shared/model/control.ts';
import { allSteps } from './itinerary.ts';
import { enterPhase } from './journal/activities.ts';
import { withPoint } from './journal/reads/activities.ts';
import { type Begun, type GroupInput, only, show } from './membership.ts';
import { unwindAll } from './together.ts';
import { ttlBack } from './ttl.ts';
import { walkBack } from './walkBack.ts';

/** Steps 12 to 8 undone in reverse, services back in start order; then, to withdraw, steps 7 to 4 as well. */
export function* wayBack(ctx: Ctx, input: GroupInput, begun: Begun, signal: Interruption): Flow<void> {
  const { waveId } = input;
  // Those who are held walk back as well: nothing of the cutover, but their preparation, if they are withdrawn.
  const tiers = only(input.tiers, (id) => !begun.committed.has(id) && !begun.left.has(id));
  const workloadIds = tiers.flat();
  if (workloadIds.length === 0) return;
  const subject = { waveId, workloadIds };
  yield* show(ctx, input, begun, 'rollingBack', signal.reason);
  const { action, by, reason } = signal;
  const said = `${action} by ${by}: ${reason}`;
  yield* enterPhase.call(ctx, {
    ...subject,
    operationId: ctx.operationId('rollingBack'),
    phase: 'rollingBack',
    reason: said,
  });
  yield* walkBack(ctx, begun.moved, allSteps, { waveId, workloadIds: begun.batch });
  yield* unwindAll(ctx, input, begun.cutOver, tiers, 'cutover');
  yield* ttlBack(ctx, subject, 'back', said);
  yield* walkBack(ctx, begun.tested, allSteps, subject);
  const back = signal.to === 'withdrawn' ? [] : yield* withPoint.call(ctx, subject);
  const withdrawn = workloadIds.filter((id) => !back.includes(id));
  yield* unwindAll(ctx, input, begun.prepared, [withdrawn], 'prepare');
  yield* arrive(ctx, waveId, back, 'replicating', reason);
  yield* arrive(ctx, waveId, withdrawn, 'withdrawn', reason);
  begun.held.clear();
  begun.walkedBack = { outcome: back.length === 0 ? 'withdrawn' : 'rolledBack', reason };
}

function* arrive(
  ctx: Ctx,
  waveId: string,
  workloadIds: string[],
  phase: 'replicating' | 'withdrawn',
  reason: string,
): Flow<void> {
  if (workloadIds.length > 0)
    yield* enterPhase.call(ctx, { waveId, workloadIds, operationId: ctx.operationId('back', phase), phase, reason });
}
