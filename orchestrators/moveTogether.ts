// Step 11 for a batch: all or none, but for those who fail in it before traffic moves, where the group goes on without them.
import { type Ctx, type Flow, Interrupted } from '../shared/durable/flow.ts';
import type { Interruption } from '../shared/model/control.ts';
import { allSteps } from './itinerary.ts';
import { leaveGroup } from './journal/attention/activities.ts';
import { walkEachAlone } from './leave.ts';
import { type Begun, type GroupInput, only, subjectOf } from './membership.ts';
import { type Taken, take } from './saga.ts';
import { postCutover } from './steps/11-post-cutover/step.ts';
import { walkBack } from './walkBack.ts';

/** Takes step 11 for those of a batch who have not left. Returns, in tiers, to whose targets traffic has moved. */
export function* moveTogether(ctx: Ctx, input: GroupInput, begun: Begun, whole: string[][]): Flow<string[][]> {
  const { waveId, groupId, environmentId, attempt, onFailure } = input;
  for (;;) {
    const tiers = only(whole, (id) => !begun.left.has(id));
    begun.batch = tiers.flat();
    if (tiers.length === 0) return tiers;
    const moving = { waveId, groupId, environmentId, attempt, tiers };
    try {
      yield* take(ctx, begun.moved, postCutover, moving, subjectOf(input, tiers), onFailure);
      return tiers;
    } catch (error) {
      const told = error instanceof Interrupted && error.signal !== ctx.interruption ? error.signal : undefined;
      const { workloadIds = [] } = told ?? {};
      if (told === undefined || workloadIds.length === 0) throw error;
      yield* ctx.shielded(goWithout(ctx, input, begun, told, workloadIds));
    }
  }
}

/** Undoes step 11 for some, who then leave; for the others it stays armed, and is taken on. */
function* goWithout(
  ctx: Ctx,
  input: GroupInput,
  begun: Begun,
  signal: Interruption,
  workloadIds: string[],
): Flow<void> {
  const { waveId } = input;
  const { action, by, reason } = signal;
  for (const workloadId of workloadIds) {
    const operationId = ctx.operationId('left', workloadId);
    yield* leaveGroup.call(ctx, { waveId, workloadId, operationId, action, by, reason });
  }
  const goes = (id: string) => workloadIds.includes(id);
  const theirs = begun.moved.map((taken) => partOf(taken, goes));
  begun.moved = begun.moved.map((taken) => partOf(taken, (id) => !goes(id)));
  yield* walkBack(ctx, theirs, allSteps, { waveId, workloadIds });
  const told = new Map(workloadIds.map((id) => [id, signal]));
  for (const [id, phase] of yield* walkEachAlone(ctx, input, told, begun, true)) begun.left.set(id, phase);
}

/** Step 11 as it was begun, for some of its workloads only. */
function partOf({ step, input, before }: Taken, wanted: (workloadId: string) => boolean): Taken {
  const { tiers, ...moving } = postCutover.input.parse(input);
  const { found } = postCutover.before.parse(before);
  return {
    step,
    input: { ...moving, tiers: only(tiers, wanted) },
    before: { found: found.filter(({ workloadId }) => wanted(workloadId)) },
  };
}
