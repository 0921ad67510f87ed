// The cutover of a group, batch after batch: normally one of all. Each batch is all or none, and has its own turn, gate
// and window.
import { beside, type Ctx, type Flow } from '../shared/durable/flow.ts';
import { listenAgain, sleepUntil } from '../shared/durable/waits.ts';
import type { Opening } from '../shared/model/window.ts';
import { type Batch, nextBatch, standingTurns } from '../shared/policy/batches.ts';
import { currentOpening } from '../shared/policy/openings.ts';
import { cutover } from './cutover.ts';
import { hold } from './hold.ts';
import { enterPhase } from './journal/activities.ts';
import { tellDependents } from './journal/needs/activities.ts';
import { type Begun, type GroupInput, only, show, stayingOf, subjectOf, whoStays } from './membership.ts';
import { watchWindow } from './overrun.ts';
import { take } from './saga.ts';
import { finalValidation } from './steps/12-final-validation/step.ts';
import { moveTogether } from './moveTogether.ts';
import { together } from './together.ts';
import { ttlBack } from './ttl.ts';
import { whenItsTurn } from './turn.ts';
import { closeOrders, watchOrders } from './unheeded.ts';

/** Cuts over whoever may, and leaves `begun` saying who has committed, who is held, and why. */
export function* cutOverInBatches(ctx: Ctx, input: GroupInput, begun: Begun): Flow<void> {
  const woken = listenAgain(ctx, ctx.operationId('settled'));
  /** Who was not approved, and the end of the window that it was for. */
  const aside = new Map<string, string>();
  for (;;) {
    const batch = nextOf(ctx, input, yield* whoStays(ctx, input, begun), new Set(aside.keys()));
    if (batch === undefined) return;
    const heard = ordersOfWhoIsNext(ctx);
    const leave = () => ordersOfWhoIsNext(ctx) > heard;
    if (batch.kind === 'later' && !(yield* laterWindow(ctx, input, begun, batch, aside, leave))) continue;
    const turn = yield* whenItsTurn(ctx, input, begun, batch.workloadIds, woken, leave);
    if (turn.state === 'left') continue;
    if (turn.state === 'held') {
      yield* hold(ctx, input, begun, batch.workloadIds, turn.reason);
      continue;
    }
    const { workloadIds, window } = turn;
    for (const workloadId of batch.workloadIds)
      if (!workloadIds.includes(workloadId)) aside.set(workloadId, window.closes);
    for (const workloadId of workloadIds) aside.delete(workloadId);
    yield* cutOver(ctx, input, begun, workloadIds, window);
  }
}

/** How many orders have come that change who is next: to rush, to defer, to leave. */
function ordersOfWhoIsNext({ orders }: Ctx): number {
  return orders.filter((order) => 'workloadIds' in order && order.action !== 'pause' && order.action !== 'resume')
    .length;
}

function nextOf(ctx: Ctx, { dependencies }: GroupInput, tiers: string[][], aside: Set<string>): Batch | undefined {
  const waiting = tiers.flat().map((workloadId) => ({ workloadId, dependsOn: dependencies[workloadId] ?? [] }));
  return nextBatch(waiting, standingTurns(ctx.orders), aside);
}

/**
 * Whoever was set aside goes on replicating until the window has passed that the others had. Returns false when orders
 * have changed who is next meanwhile, or when no window is left: then they are held.
 */
function* laterWindow(
  ctx: Ctx,
  input: GroupInput,
  begun: Begun,
  { workloadIds }: Batch,
  aside: ReadonlyMap<string, string>,
  leave: () => boolean,
): Flow<boolean> {
  const { waveId, windows } = input;
  const turns = standingTurns(ctx.orders);
  const passed = workloadIds.flatMap((id) => {
    const deferred = turns.get(id);
    return aside.get(id) ?? (deferred && currentOpening(windows, deferred.at)?.closes) ?? [];
  });
  const skipped = passed.toSorted().at(-1);
  const next = skipped === undefined ? undefined : windows.find(({ opens }) => opens >= skipped);
  if (skipped === undefined || next === undefined) {
    yield* hold(ctx, input, begun, workloadIds, 'deferred, or not approved, and no later window is left');
    return false;
  }
  const reason = `deferred to the window that opens at ${next.opens}`;
  const operationId = ctx.operationId('aside', ctx.nextCount('aside'));
  yield* enterPhase.call(ctx, { waveId, workloadIds, operationId, phase: 'replicating', reason });
  yield* show(ctx, input, begun, 'waiting', `${workloadIds.join(', ')}: ${reason}`.slice(0, 1000));
  yield* sleepUntil(ctx, skipped, leave);
  return !leave();
}

/** Steps 9 to 12 for one batch. Once it has committed only failing forward is offered, and it is out of the group's way back. */
function* cutOver(ctx: Ctx, input: GroupInput, begun: Begun, workloadIds: string[], window: Opening): Flow<void> {
  begun.batch = workloadIds;
  const watched = beside(steps9To12(ctx, input, begun, workloadIds), watchWindow(ctx, input, begun, window));
  yield* beside(watched, watchOrders(ctx, input, begun));
  yield* closeOrders(ctx, input, begun);
  for (const workloadId of begun.batch) {
    begun.committed.add(workloadId);
    begun.cutOver[workloadId] = [];
  }
  const committed = begun.batch;
  begun.batch = [];
  begun.moved = [];
  ctx.freeReturn = true;
  yield* ctx.shielded(ttlBack(ctx, { waveId: input.waveId, workloadIds: committed }, 'commit', 'it has committed'));
  if (stayingOf(input, begun).length === 0) return;
  // Others may need only those who have committed now: they do not wait until the whole group has ended.
  const { waveId, groupId } = input;
  const operationId = ctx.operationId('told', ctx.nextCount('told'));
  yield* tellDependents.call(ctx, { waveId, groupId, operationId, outcome: 'incomplete' });
}

function* steps9To12(ctx: Ctx, input: GroupInput, begun: Begun, workloadIds: string[]): Flow<void> {
  const { waveId, groupId, attempt, commitPolicy, gatedSteps, onFailure } = input;
  const whole = only(input.tiers, (id) => workloadIds.includes(id));
  yield* show(ctx, input, begun, 'cuttingOver');
  yield* together(ctx, input, cutover, whole.toReversed(), begun, (workloadId) => ({
    ...{ waveId, workloadId, gatedSteps, onFailure },
    prepared: begun.prepared[workloadId] ?? [],
  }));
  // Whoever was told to leave after its own cutover had ended goes before anything is done for the batch as a whole.
  yield* whoStays(ctx, input, begun);
  const tiers = yield* moveTogether(ctx, input, begun, whole);
  if (tiers.length === 0) return;

  yield* show(ctx, input, begun, 'validating');
  const validated = { waveId, groupId, workloadIds: tiers.flat(), attempt, commitPolicy };
  yield* take(ctx, begun.moved, finalValidation, validated, subjectOf(input, tiers));
}
