// A wave: the environment is made ready once, then the groups move, each when its turn has come.
import { z } from 'zod';
import { all, type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import type { Interruption } from '../shared/model/control.ts';
import { retireAgentsOf } from './appliances/activities.ts';
import { giveBack } from './environment.ts';
import { group } from './group.ts';
import { recordGroup, recordWave } from './journal/activities.ts';
import { leaseEnvironment } from './journal/leases/activities.ts';
import { tellDependents } from './journal/needs/activities.ts';
import { outlineWave, type WaveOutline } from './journal/reads/activities.ts';
import type { GroupOutcome } from './membership.ts';
import { hearEarlierOrders, orderToWithdraw } from './orders.ts';
import { rearm, type Taken, take } from './saga.ts';
import { targetIam } from './steps/01-target-iam/step.ts';
import { migrationAppliance } from './steps/02-migration-appliance/step.ts';
import { sourceWorker } from './steps/03-source-worker/step.ts';
import { untilDone } from './walkBack.ts';
import { withdrawGroup } from './withdraw.ts';

const Input = z.strictObject({ waveId: z.string(), attempt: z.int(), startedAt: z.string() });
type Input = z.infer<typeof Input>;
const Outcome = z.strictObject({
  status: z.enum(['committed', 'incomplete', 'rolledBack', 'cancelled', 'failed']),
  reason: z.string(),
});
type Outcome = z.infer<typeof Outcome>;

export const wave = defineOrchestrator({
  name: 'wave',
  input: Input,
  output: Outcome,
  attempt: (input) => input.attempt,
  *run(ctx, input) {
    const { waveId, attempt } = input;
    yield* hearEarlierOrders(ctx, waveId, undefined);
    const outline = yield* outlineWave.call(ctx, { waveId, whole: !ctx.since('1.1') });
    ctx.gatedSteps = new Set(outline.gatedSteps);
    yield* recordWave.call(ctx, { waveId, attempt, status: 'running', ended: false });
    const taken: Taken[] = [];
    const ordered = yield* readyEnvironment(ctx, input, outline, taken);
    let outcomes: GroupOutcome[] = [];
    // Told to stop before any group began, groups of an earlier attempt still have their way back to go.
    if (ordered === undefined || outline.begun)
      outcomes = yield* all(outline.groups.map((member) => moveGroup(ctx, input, outline, member, ordered)));
    return yield* end(ctx, input, outline, outcomes, taken, ordered);
  },
});

/** Ends the wave. An order to withdraw all of it that comes until its end is written down is heard yet. */
function* end(
  ctx: Ctx,
  input: Input,
  outline: Outline,
  outcomes: readonly GroupOutcome[],
  taken: Taken[],
  ordered: Interruption | undefined,
): Flow<Outcome> {
  const { waveId, attempt } = input;
  const unfinished = outcomes.find(({ outcome }) => outcome !== 'committed');
  const reason = unfinished?.reason ?? ordered?.reason ?? 'every group committed';
  let done = outcomes.every(({ replicates }) => !replicates);
  let [isWithdrawn, hasLeft] = [false, false];
  let heard: string | undefined;
  for (;;) {
    const last = (yield* orderToWithdraw(ctx, waveId)) ?? ordered;
    if (last?.to === 'withdrawn' && !done && !isWithdrawn) {
      done = yield* withdrawRest(ctx, input, last, outline, outcomes);
      isWithdrawn = true;
    }
    if (done && !hasLeft) {
      yield* ctx.shielded(leave(ctx, waveId, outline.environmentId, taken));
      hasLeft = true;
    }
    const cancelled = [ordered, last].some((order) => order?.action === 'cancel');
    const result: Outcome = { status: statusOf(outcomes, cancelled), reason };
    heard ??= last?.id;
    const unheard = yield* recordWave.call(ctx, { waveId, attempt, ...result, ended: true, heard });
    if (unheard === null) return result;
    heard = unheard;
  }
}

/** `incomplete`: every group has committed, but not every workload. */
function statusOf(groups: readonly GroupOutcome[], cancelled: boolean): Outcome['status'] {
  const all = (...wanted: GroupOutcome['outcome'][]) =>
    groups.length > 0 && groups.every(({ outcome }) => wanted.includes(outcome));
  if (all('committed')) return 'committed';
  if (cancelled) return 'cancelled';
  if (groups.some(({ outcome }) => outcome === 'failed')) return 'failed';
  return all('committed', 'incomplete') ? 'incomplete' : 'rolledBack';
}

type Outline = z.infer<typeof WaveOutline>;

/** Steps 1-3, under a lease: shared with other waves of the environment. Returns the order that interrupted them. */
function* readyEnvironment(
  ctx: Ctx,
  { waveId }: Input,
  { environmentId, workerSites, begun }: Outline,
  taken: Taken[],
): Flow<Interruption | undefined> {
  const subject = { waveId, workloadIds: [] };
  yield* leaseEnvironment.call(ctx, { environmentId, waveId });
  const sites = workerSites.map((siteId) => ({ environmentId, waveId, siteId }));
  try {
    if (begun) {
      // An earlier attempt has made the environment ready: that is this one's to undo, however far it comes itself.
      const made = [
        { step: targetIam, input: { environmentId } },
        { step: migrationAppliance, input: { environmentId, waveId } },
        ...sites.map((input) => ({ step: sourceWorker, input })),
      ];
      yield* ctx.shielded(rearm(ctx, taken, made, subject));
    }
    yield* take(ctx, taken, targetIam, { environmentId }, subject);
    yield* take(ctx, taken, migrationAppliance, { environmentId, waveId }, subject);
    for (const site of sites) yield* take(ctx, taken, sourceWorker, site, subject);
    ctx.safePoint();
    return undefined;
  } catch (error) {
    if (error instanceof Interrupted) return error.signal;
    throw error;
  }
}

function* moveGroup(
  ctx: Ctx,
  { waveId, attempt }: Input,
  outline: Outline,
  member: Outline['groups'][number],
  ordered: Interruption | undefined,
): Flow<GroupOutcome> {
  const { environmentId, windows, onOverrun, commitPolicy, gatedSteps } = outline;
  const { groupId } = member;
  const told = ordered === undefined ? {} : { ordered };
  const instanceId = `group-${waveId}.${groupId}-${attempt}`;
  try {
    const schedule = { windows, onOverrun };
    const input = { ...member, ...told, ...schedule, waveId, attempt, environmentId, commitPolicy, gatedSteps };
    return yield* group.call(ctx, input, instanceId);
  } catch (error) {
    // A group that breaks, instead of ending, must be seen, and nobody may wait for it for ever.
    const reason = `its orchestration broke: ${error instanceof Error ? error.message : String(error)}`.slice(0, 1000);
    yield* recordGroup.call(ctx, { waveId, groupId, status: 'failed', instanceId, reason });
    const operationId = ctx.operationId('told', groupId);
    yield* tellDependents.call(ctx, { waveId, groupId, operationId, outcome: 'failed' });
    return { outcome: 'failed', reason, behind: member.size ?? member.tiers?.flat().length ?? 0, replicates: true };
  }
}

/**
 * Withdraws what an order to withdraw the whole wave has found in no running group: it was given to all that has not
 * committed. Returns whether nothing goes on; what a group that broke has in hand is looked at by people.
 */
function* withdrawRest(
  ctx: Ctx,
  { waveId, attempt }: Input,
  signal: Interruption,
  { groups }: Outline,
  outcomes: readonly GroupOutcome[],
): Flow<boolean> {
  const flows = groups.flatMap(({ groupId }, index) => {
    const ended = outcomes[index];
    const instanceId = `withdrawGroup-${waveId}.${groupId}-${attempt}`;
    return ended?.replicates === true
      ? [withdrawGroup.call(ctx, { waveId, groupId, attempt, signal, ended }, instanceId)]
      : [];
  });
  yield* all(flows);
  return outcomes.every(({ outcome }) => outcome !== 'failed');
}

/** Gives the environment back; the last to leave removes what was made for it. */
function* leave(ctx: Ctx, waveId: string, environmentId: string, taken: Taken[]): Flow<void> {
  const subject = { waveId, workloadIds: [] };
  const todo = [
    'take the rights of the agents whose workloads have committed: revoke them (POST /api/appliances/{id}/revoke)',
  ];
  yield* untilDone(ctx, 'osAgent', subject, ['retireAgents'], todo, function* () {
    yield* retireAgentsOf.call(ctx, { waveId });
  });
  yield* giveBack(ctx, { waveId, environmentId }, taken);
}
