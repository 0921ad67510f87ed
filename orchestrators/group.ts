// A move group: its workloads cut over together, all or none.
import { z } from 'zod';
import { inCrews } from '../shared/durable/crew.ts';
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import { defineOrchestrator, type OrchestratorDefinition } from '../shared/durable/orchestrator.ts';
import type { Subject } from '../shared/durable/step.ts';
import { sleepUntil } from '../shared/durable/waits.ts';
import { Interruption } from '../shared/model/control.ts';
import { CommitPolicy } from '../shared/model/settings.ts';
import { OnOverrun, Opening } from '../shared/model/window.ts';
import { currentOpening } from '../shared/policy/openings.ts';
import type { ChildOutcome } from './child.ts';
import { cutover } from './cutover.ts';
import { passGate } from './gate.ts';
import { allSteps } from './itinerary.ts';
import { enterPhase, recordGroup } from './journal/activities.ts';
import { tellDependents } from './journal/needs/activities.ts';
import { GroupOutline, withPoint } from './journal/reads/activities.ts';
import { letGo } from './leave.ts';
import { needsMet } from './needs.ts';
import { hearEarlierOrders } from './orders.ts';
import { restWhilePaused } from './pause.ts';
import { prepare } from './prepare.ts';
import { type Taken, take } from './saga.ts';
import { uat } from './steps/08-uat/step.ts';
import { postCutover } from './steps/11-post-cutover/step.ts';
import { finalValidation } from './steps/12-final-validation/step.ts';
import { unwind } from './unwind.ts';
import { walkBack } from './walkBack.ts';

const Input = GroupOutline.extend({
  waveId: z.string(),
  attempt: z.int(),
  environmentId: z.string(),
  windows: z.array(Opening),
  onOverrun: OnOverrun,
  commitPolicy: CommitPolicy,
  gatedSteps: z.array(z.string()),
  ordered: Interruption.optional(),
});
type Input = z.infer<typeof Input>;
const Outcome = z.strictObject({
  outcome: z.enum(['committed', 'rolledBack', 'withdrawn', 'held', 'failed']),
  reason: z.string(),
  left: z.int().describe('how many of its workloads have left it'),
});
export type GroupOutcome = z.infer<typeof Outcome>;
type Outcome = GroupOutcome;

/** What the group has begun so far: per workload by its children, and by itself. */
interface Begun {
  prepared: Record<string, Taken[]>;
  cutOver: Record<string, Taken[]>;
  tested: Taken[];
  moved: Taken[];
  /** Who has left the group, and where they are now. */
  left: Map<string, 'replicating' | 'withdrawn'>;
}

export const group = defineOrchestrator({
  name: 'group',
  input: Input,
  output: Outcome,
  *run(ctx, input) {
    ctx.gatedSteps = new Set(input.gatedSteps);
    const begun: Begun = { prepared: {}, cutOver: {}, tested: [], moved: [], left: new Map() };
    let result: Outcome;
    yield* hearEarlierOrders(ctx, input.waveId, input.ordered);
    try {
      result = yield* story(ctx, input, begun);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      result = yield* ctx.shielded(wayBack(ctx, remaining(input, begun), begun, error.signal));
    }
    return yield* ctx.shielded(settle(ctx, input, { ...result, left: begun.left.size }));
  },
});

function* story(ctx: Ctx, whole: Input, begun: Begun): Flow<Outcome> {
  const { waveId, groupId, attempt, environmentId, commitPolicy, gatedSteps, onFailure } = whole;
  yield* restBefore(ctx, waveId);

  if (whole.tiers.length === 0) return { outcome: 'committed', reason: 'every workload had committed before', left: 0 };
  yield* status(ctx, whole, 'preparing');
  // Told to stop already, they are begun all the same: each knows what an earlier attempt has left to undo.
  const ordered = ctx.interruption === undefined ? {} : { ordered: ctx.interruption };
  yield* together(ctx, whole, prepare, [whole.tiers.flat()], begun, (workloadId) => ({
    ...{ waveId, workloadId, method: whole.methods[workloadId] ?? 'agent', gatedSteps, onFailure },
    ...ordered,
  }));

  let input = yield* whoStays(ctx, whole, begun);
  if (input.tiers.length === 0) return nobodyLeft;
  yield* status(ctx, input, 'testing');
  const tested = { waveId, groupId, environmentId, workloadIds: input.tiers.flat(), attempt };
  yield* take(ctx, begun.tested, uat, tested, subjectOf(input), onFailure);

  input = yield* whoStays(ctx, input, begun);
  if (input.tiers.length === 0) return nobodyLeft;
  const held = yield* whenItsTurn(ctx, input);
  if (held !== undefined) return held;
  input = yield* whoStays(ctx, input, begun);
  if (input.tiers.length === 0) return nobodyLeft;
  yield* restWhilePaused(ctx, subjectOf(input));
  yield* status(ctx, input, 'cuttingOver');
  yield* together(ctx, input, cutover, input.tiers.toReversed(), begun, (workloadId) => ({
    ...{ waveId, workloadId, gatedSteps, onFailure },
    prepared: begun.prepared[workloadId] ?? [],
  }));
  input = remaining(input, begun);
  if (input.tiers.length === 0) return nobodyLeft;
  const { tiers } = input;
  const moving = { waveId, groupId, environmentId, attempt, tiers };
  yield* take(ctx, begun.moved, postCutover, moving, subjectOf(input), onFailure);

  yield* status(ctx, input, 'validating');
  const workloadIds = tiers.flat();
  const validated = { waveId, groupId, workloadIds, attempt, commitPolicy };
  yield* take(ctx, begun.moved, finalValidation, validated, subjectOf(input));
  return { outcome: 'committed', reason: 'validated and committed', left: 0 };
}

/** Nothing of a paused wave begins; an order to stop ends the rest and is then the workloads' to follow. */
function* restBefore(ctx: Ctx, waveId: string): Flow<void> {
  try {
    yield* restWhilePaused(ctx, { waveId, workloadIds: [] });
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
}

const nobodyLeft: Outcome = { outcome: 'rolledBack', reason: 'every workload has left the group', left: 0 };

function subjectOf({ waveId, tiers }: Input): Subject {
  return { waveId, workloadIds: tiers.flat() };
}

/** The group without those who have left it. */
function remaining(input: Input, { left }: Begun): Input {
  const tiers = input.tiers.map((tier) => tier.filter((id) => !left.has(id)));
  return { ...input, tiers: tiers.filter((tier) => tier.length > 0) };
}

/** The group after those have gone who were told to leave while none of their children ran; a safe point. */
function* whoStays(ctx: Ctx, input: Input, begun: Begun): Flow<Input> {
  ctx.safePoint();
  const gone = yield* letGo(ctx, input, remaining(input, begun).tiers.flat(), begun);
  for (const [workloadId, phase] of gone) begun.left.set(workloadId, phase);
  return remaining(input, begun);
}

/** Runs one child per workload, tier after tier, and keeps what each began. Whoever rolls back takes the others along. */
function* together<I>(
  ctx: Ctx,
  { waveId, groupId, attempt }: Input,
  work: OrchestratorDefinition<I, ChildOutcome>,
  tiers: string[][],
  begun: Begun,
  input: (workloadId: string) => I,
): Flow<void> {
  const instanceId = (workloadId: string) => `${work.name}-${waveId}.${workloadId}-${attempt}`;
  const stages = tiers.map((tier) => tier.map((id) => ({ instanceId: instanceId(id), input: input(id) })));
  const id = `crew-${waveId}.${groupId}-${attempt}-${work.name}`;
  const outcomes = yield* inCrews(ctx, work, stages, { waveId, id });
  const taken = work.name === prepare.name ? begun.prepared : begun.cutOver;
  for (const workloadId of tiers.flat()) {
    const outcome = outcomes.get(instanceId(workloadId));
    taken[workloadId] = outcome?.taken ?? [];
    if (outcome?.left !== undefined) begun.left.set(workloadId, outcome.left);
  }
  const signal = [...outcomes.values()].find(({ interrupted }) => interrupted !== undefined)?.interrupted;
  if (signal !== undefined) throw new Interrupted(signal);
}

/** Waits for what it depends on, the approval, and the window. */
function* whenItsTurn(ctx: Ctx, input: Input): Flow<Outcome | undefined> {
  const { waveId, groupId, attempt, windows, tiers } = input;
  const inVain = yield* needsMet(ctx, { waveId, groupId, workloadIds: tiers.flat() });
  if (inVain !== undefined) return yield* hold(ctx, input, inVain);
  const window = currentOpening(windows, ctx.now()) ?? windows.at(-1);
  const question = `Cut over ${groupId} in the window from ${window?.opens} to ${window?.closes}?`;
  const gate = yield* passGate(ctx, {
    waveId,
    groupId,
    workloadIds: tiers.flat(),
    name: 'cutover',
    question,
    attempt,
    turn: 1,
  });
  if (gate.status === 'rejected' || gate.status === 'expired')
    return yield* hold(ctx, input, `the cutover was ${gate.status}`);
  yield* enterPhase.call(ctx, {
    waveId,
    workloadIds: tiers.flat(),
    operationId: ctx.operationId('queued'),
    phase: 'cutoverQueued',
    reason: `cutover ${gate.status}`,
  });
  const next = currentOpening(windows, ctx.now());
  if (next !== undefined) yield* sleepUntil(ctx, next.opens);
  return undefined;
}

/** Not now: sources go on serving and deltas go on; the wave can be started again. */
function* hold(ctx: Ctx, { waveId, tiers }: Input, reason: string): Flow<Outcome> {
  const operationId = ctx.operationId('held');
  yield* enterPhase.call(ctx, { waveId, workloadIds: tiers.flat(), operationId, phase: 'replicating', reason });
  return { outcome: 'held', reason, left: 0 };
}

/** Steps 12 to 8 undone in reverse, services back in start order; then, to withdraw, steps 7 to 4 as well. */
function* wayBack(ctx: Ctx, input: Input, begun: Begun, signal: Interruption): Flow<Outcome> {
  const { waveId, tiers } = input;
  const workloadIds = tiers.flat();
  yield* status(ctx, input, 'rollingBack', signal.reason);
  yield* enterPhase.call(ctx, {
    waveId,
    workloadIds,
    operationId: ctx.operationId('rollingBack'),
    phase: 'rollingBack',
    reason: `${signal.action} by ${signal.by}: ${signal.reason}`,
  });
  yield* walkBack(ctx, begun.moved, allSteps, { waveId, workloadIds });
  yield* unwindAll(ctx, input, begun.cutOver, tiers, 'cutover');
  yield* walkBack(ctx, begun.tested, allSteps, { waveId, workloadIds });
  const back = signal.to === 'withdrawn' ? [] : yield* withPoint.call(ctx, { waveId, workloadIds });
  const withdrawn = workloadIds.filter((id) => !back.includes(id));
  yield* unwindAll(ctx, input, begun.prepared, [withdrawn], 'prepare');
  for (const [phase, those] of [
    ['replicating', back],
    ['withdrawn', withdrawn],
  ] as const)
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds: [...those],
      operationId: ctx.operationId('back', phase),
      phase,
      reason: signal.reason,
    });
  return { outcome: back.length === 0 ? 'withdrawn' : 'rolledBack', reason: signal.reason, left: 0 };
}

/** Undoes what the workloads' own children began, tier after tier. */
function* unwindAll(
  ctx: Ctx,
  { waveId, groupId, attempt }: Input,
  begun: Record<string, Taken[]>,
  tiers: string[][],
  part: 'cutover' | 'prepare',
): Flow<void> {
  const stages = tiers.map((tier) =>
    tier.flatMap((workloadId) => {
      const taken = begun[workloadId] ?? [];
      const instanceId = `unwind-${waveId}.${workloadId}-${attempt}-${part}`;
      return taken.length === 0 ? [] : [{ instanceId, input: { waveId, workloadId, taken } }];
    }),
  );
  yield* inCrews(ctx, unwind, stages, { waveId, id: `crew-${waveId}.${groupId}-${attempt}-unwind-${part}` });
}

function* settle(ctx: Ctx, input: Input, result: Outcome): Flow<Outcome> {
  const { outcome, reason } = result;
  const shown = outcome === 'withdrawn' ? 'rolledBack' : outcome;
  yield* status(ctx, input, shown, reason);
  const operationId = ctx.operationId('told');
  yield* tellDependents.call(ctx, { waveId: input.waveId, groupId: input.groupId, operationId, outcome: shown });
  return result;
}

function* status(
  ctx: Ctx,
  { waveId, groupId }: Input,
  value: Parameters<typeof recordGroup.call>[1]['status'],
  reason?: string,
): Flow<void> {
  yield* recordGroup.call(ctx, {
    waveId,
    groupId,
    status: value,
    instanceId: ctx.instanceId,
    ...(reason === undefined ? {} : { reason }),
  });
}
