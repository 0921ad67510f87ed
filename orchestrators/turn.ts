// When a batch may begin: what it needs has committed, it fits a window, people approved it for that window, and the
// window is open. Nothing starts late: what does not fit any more waits for the next window, or is held.
import { all, type Ctx, type Flow } from '../shared/durable/flow.ts';
import { sleepUntil } from '../shared/durable/waits.ts';
import type { Opening } from '../shared/model/window.ts';
import { withDependents } from '../shared/policy/batches.ts';
import { passGate } from './gate.ts';
import { enterPhase } from './journal/activities.ts';
import { type Begun, type GroupInput, show } from './membership.ts';
import { needsMet } from './needs.ts';
import { restWhilePaused } from './pause.ts';
import { lowerInTime, lowerNow } from './ttl.ts';
import { judgeFit } from './windows/activities.ts';

/** Go, with those who were approved; or an order has changed who is next; or not in this attempt. */
type Turn =
  | { state: 'go'; workloadIds: string[]; window: Opening }
  | { state: 'left' }
  | { state: 'held'; reason: string };

/** Waits for a batch's turn, for as long as it takes, or until `leave` says that orders have changed who is next. */
export function* whenItsTurn(
  ctx: Ctx,
  input: GroupInput,
  begun: Begun,
  asked: string[],
  woken: (stop: () => boolean) => Flow<boolean>,
  leave: () => boolean,
): Flow<Turn> {
  const { waveId, groupId } = input;
  const needs = yield* needsMet(ctx, { waveId, groupId, workloadIds: asked }, woken, leave);
  if (needs.state === 'left') return needs;
  if (needs.state === 'inVain') return { state: 'held', reason: needs.reason };
  for (;;) {
    const judged = yield* windowFor(ctx, input, begun, asked);
    if (judged.window === null) return { state: 'held', reason: `no-go: ${judged.reason}` };
    const { opens } = judged.window;
    const turn = ctx.nextCount('queued');
    const approved = yield* queuedInTime(ctx, input, asked, { ...judged, window: judged.window, turn }, leave);
    if (approved.state !== 'go') return approved;
    const { workloadIds } = approved;
    yield* restWhilePaused(ctx, { waveId, workloadIds });
    const clearAt = yield* lowerNow(ctx, { waveId, workloadIds, opens }, input.onFailure, leave);
    yield* sleepUntil(ctx, opens, leave);
    if (clearAt !== null && clearAt > ctx.now() && !leave()) {
      yield* show(ctx, input, begun, 'waiting', `old answers of DNS run out at ${clearAt}`);
      yield* sleepUntil(ctx, clearAt, leave);
    }
    // Rests before the last look: what was ordered meanwhile counts, and so does the time that has passed.
    yield* restWhilePaused(ctx, { waveId, workloadIds });
    const fit = yield* judgeFit.call(ctx, { waveId, groupId, workloadIds });
    if (!leave() && fit.verdict === 'fits' && fit.window?.opens === judged.window.opens)
      return { state: 'go', workloadIds, window: judged.window };
    // Who is queued counts as under way, for the others' fit and for orders.
    const reason = leave() ? 'who is next has changed' : `no-go: ${fit.reason}`;
    const operationId = ctx.operationId('unqueued', turn);
    yield* enterPhase.call(ctx, { waveId, workloadIds, operationId, phase: 'replicating', reason });
    if (leave()) return { state: 'left' };
  }
}

/**
 * Waits for people's word and queues who is approved, while records are lowered when it is time for that: people may
 * take longer. Whoever was lowered and is not approved after all is put back when it is held, or at its next turn.
 */
function* queuedInTime(
  ctx: Ctx,
  input: GroupInput,
  asked: string[],
  judged: Judged & { window: Opening; turn: number },
  leave: () => boolean,
): Flow<Approved> {
  const { waveId } = input;
  const { opens } = judged.window;
  let approved: Approved = { state: 'left' };
  let isOver = false;
  function* queue(): Flow<void> {
    try {
      const said = yield* approvedFor(ctx, input, asked, judged, leave);
      if (said.state === 'go') {
        const { workloadIds, reason } = said;
        const operationId = ctx.operationId('queued', judged.turn);
        yield* enterPhase.call(ctx, { waveId, workloadIds, operationId, phase: 'cutoverQueued', reason });
      }
      approved = said;
    } finally {
      isOver = approved.state !== 'go';
    }
  }
  const lower = lowerInTime(ctx, { waveId, workloadIds: asked, opens }, () => isOver || leave());
  yield* all([queue(), lower]);
  return approved;
}

interface Judged {
  window: Opening | null;
  reason: string;
}

/** The window that is open or the next one, if the batch fits it; else the next one that it fits, and the status says why. */
function* windowFor(ctx: Ctx, input: GroupInput, begun: Begun, workloadIds: string[]): Flow<Judged> {
  const { waveId, groupId } = input;
  const fit = yield* judgeFit.call(ctx, { waveId, groupId, workloadIds });
  const { verdict, window, nextWindow, reason } = fit;
  if (verdict === 'fits') return { window, reason };
  if (nextWindow !== null)
    yield* show(ctx, input, begun, 'waiting', `no-go: ${reason}; it waits for ${nextWindow.opens}`.slice(0, 1000));
  return { window: nextWindow, reason };
}

type Approved = { state: 'go'; workloadIds: string[]; reason: string } | Exclude<Turn, { state: 'go' }>;

/** Asks at the cutover gate about one window. Who was not approved stays behind, with all that depend on them. */
function* approvedFor(
  ctx: Ctx,
  { waveId, groupId, attempt, dependencies }: GroupInput,
  asked: string[],
  { window, reason }: Judged,
  leave: () => boolean,
): Flow<Approved> {
  const turn = ctx.nextCount('cutoverGate');
  const question = `Cut over ${groupId} in the window from ${window?.opens} to ${window?.closes}? ${reason}`.slice(
    0,
    2000,
  );
  const gate = { waveId, groupId, workloadIds: asked, name: 'cutover' as const, question, attempt, turn };
  const { status, approved } = yield* passGate(ctx, gate, leave);
  if (status === 'left') return { state: 'left' };
  if (status === 'rejected' || status === 'expired') return { state: 'held', reason: `the cutover was ${status}` };
  const members = asked.map((workloadId) => ({ workloadId, dependsOn: dependencies[workloadId] ?? [] }));
  const behind = withDependents(members, new Set(asked.filter((id) => !approved.includes(id))));
  const workloadIds = asked.filter((id) => !behind.has(id));
  if (workloadIds.length === 0) return { state: 'held', reason: 'nobody was approved who could go without the others' };
  return { state: 'go', workloadIds, reason: `cutover ${status}` };
}
