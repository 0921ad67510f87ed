// A move group: its workloads are prepared and tested together, and cut over in batches, each all or none.
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { cutOverInBatches } from './batches.ts';
import { hold } from './hold.ts';
import { tellDependents } from './journal/needs/activities.ts';
import {
  type Begun,
  type GroupInput,
  GroupOutcome,
  GroupStart,
  nothingBegun,
  show,
  subjectOf,
  whoStays,
  withMembers,
} from './membership.ts';
import { hearEarlierOrders } from './orders.ts';
import { restWhilePaused } from './pause.ts';
import { prepare } from './prepare.ts';
import { take } from './saga.ts';
import { uat } from './steps/08-uat/step.ts';
import { together } from './together.ts';
import { wayBack } from './wayBack.ts';

export const group = defineOrchestrator({
  name: 'group',
  input: GroupStart,
  output: GroupOutcome,
  *run(ctx, start) {
    ctx.gatedSteps = new Set(start.gatedSteps);
    const begun = nothingBegun();
    yield* hearEarlierOrders(ctx, start.waveId, start.ordered);
    const input = yield* withMembers(ctx, start);
    try {
      yield* story(ctx, input, begun);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      yield* ctx.shielded(wayBack(ctx, input, begun, error.signal));
    }
    return yield* ctx.shielded(settle(ctx, input, begun));
  },
});

function* story(ctx: Ctx, input: GroupInput, begun: Begun): Flow<void> {
  const { waveId, groupId, environmentId, attempt, onFailure } = input;
  yield* restBefore(ctx, waveId);

  if (input.tiers.length === 0) return;
  yield* show(ctx, input, begun, 'preparing');
  yield* together(ctx, input, prepare, [input.tiers.flat()], begun, whatToPrepare(ctx, input));

  const testing = yield* whoStays(ctx, input, begun);
  if (testing.length > 0) {
    yield* show(ctx, input, begun, 'testing');
    const workloadIds = testing.flat();
    const tested = { waveId, groupId, environmentId, workloadIds, attempt, onFailure };
    const { signedOff } = yield* take(ctx, begun.tested, uat, tested, subjectOf(input, testing), onFailure);
    const behind = workloadIds.filter((id) => signedOff?.includes(id) === false);
    if (behind.length > 0) yield* hold(ctx, input, begun, behind, 'its UAT did not pass or was not signed off');
  }

  yield* cutOverInBatches(ctx, input, begun);
}

/** Nothing of a paused wave begins; an order to stop ends the rest and is then the workloads' to follow. */
function* restBefore(ctx: Ctx, waveId: string): Flow<void> {
  try {
    yield* restWhilePaused(ctx, { waveId, workloadIds: [] });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
}

/** Told to stop already, workloads are begun all the same: each knows what an earlier attempt has left to undo. */
function whatToPrepare(ctx: Ctx, { waveId, methods, gatedSteps, onFailure }: GroupInput) {
  const ordered = ctx.interruption === undefined ? {} : { ordered: ctx.interruption };
  return (workloadId: string) => ({
    ...{ waveId, workloadId, method: methods[workloadId] ?? 'agent', gatedSteps, onFailure },
    ...ordered,
  });
}

function* settle(ctx: Ctx, input: GroupInput, begun: Begun): Flow<GroupOutcome> {
  const result = outcomeOf(input, begun);
  const { outcome, reason } = result;
  const shown = outcome === 'withdrawn' ? 'rolledBack' : outcome;
  yield* show(ctx, input, begun, shown, reason);
  const { waveId, groupId } = input;
  yield* tellDependents.call(ctx, { waveId, groupId, operationId: ctx.operationId('told'), outcome: shown });
  return result;
}

/** How the group has ended: who committed stays committed, and the reason names everybody else. */
function outcomeOf({ tiers }: GroupInput, begun: Begun): GroupOutcome {
  const { committed, left, held, walkedBack } = begun;
  const others = tiers.flat().filter((workloadId) => !committed.has(workloadId));
  const behind = others.length;
  const isBack = walkedBack?.outcome === 'rolledBack';
  const replicates = behind > 0 && (isBack || held.size > 0 || [...left.values()].includes('replicating'));
  const done = tiers.length === 0 ? 'every workload had committed before' : 'validated and committed';
  if (behind === 0) return { outcome: 'committed', reason: done, behind, replicates };
  const named = [
    ...[...held].map(([workloadId, reason]) => `${workloadId} held: ${reason}`),
    ...[...left].map(([workloadId, phase]) => `${workloadId} has left and is ${phase}`),
  ];
  if (walkedBack !== undefined) named.unshift(walkedBack.reason);
  if (committed.size > 0)
    return {
      outcome: 'incomplete',
      reason: shorten([`committed: ${[...committed].join(', ')}`, ...named]),
      behind,
      replicates,
    };
  if (walkedBack !== undefined) return { outcome: walkedBack.outcome, reason: walkedBack.reason, behind, replicates };
  if (held.size === 0)
    return { outcome: 'rolledBack', reason: shorten(['everybody has left', ...named]), behind, replicates };
  const [reason = ''] = new Set(held.values());
  return {
    outcome: 'held',
    reason: new Set(held.values()).size === 1 && left.size === 0 ? reason : shorten(named),
    behind,
    replicates,
  };
}

function shorten(parts: readonly string[]): string {
  return parts.join('; ').slice(0, 1000);
}
