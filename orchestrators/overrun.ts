// A cutover that runs past its window: noticed by a timer at the window's end, whatever is waited for. Before each step
// that cannot be taken back for free `inTime` looks ahead as well. After traffic has moved it is only shown.
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { alarm } from '../shared/durable/waits.ts';
import type { Opening } from '../shared/model/window.ts';
import { orderBack, recordWatchFailed } from './journal/overrun/activities.ts';
import { type Begun, type GroupInput, show } from './membership.ts';
import { failureOf } from './saga.ts';

/**
 * Runs beside a cutover: shows when its window ends, and orders it back where the plan says so and it is free. A watch
 * that fails is told in the journal; the cutover that it watches goes on.
 */
export function* watchWindow(ctx: Ctx, input: GroupInput, begun: Begun, window: Opening): Flow<void> {
  try {
    yield* watch(ctx, input, begun, window);
  } catch (error) {
    const { waveId, groupId } = input;
    const operationId = ctx.operationId('watchFailed', ctx.nextCount('watchFailed'));
    const failure = failureOf(error, 'watching the window');
    yield* recordWatchFailed.call(ctx, { waveId, groupId, operationId, closes: window.closes, failure });
  }
}

function* watch(ctx: Ctx, input: GroupInput, begun: Begun, { closes }: Opening): Flow<void> {
  yield* alarm(ctx, closes);
  const moved = !ctx.freeReturn;
  const reason = `the window closed at ${closes} ${moved ? 'after' : 'before'} traffic had moved`;
  yield* show(ctx, input, begun, begun.shown, reason);
  if (moved || input.onOverrun !== 'rollBack') return;
  const { waveId, groupId } = input;
  const operationId = ctx.operationId('overrun', ctx.nextCount('overrun'));
  yield* orderBack.call(ctx, { waveId, groupId, workloadIds: begun.batch, operationId, reason });
}
