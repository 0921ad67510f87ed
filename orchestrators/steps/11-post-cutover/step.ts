import { z } from 'zod';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { ofBatch } from '../../../shared/policy/batches.ts';
import { enterPhase } from '../../journal/activities.ts';
import { destroyAll, launchAll } from '../../machines.ts';
import { inTime, isTooLate } from '../../inTime.ts';
import { actAll, actAllBack, confirmAll } from './actions.ts';
import { ActionBefore, Applied, captureActions, precheckActions, withoutTraffic } from './activities.ts';

const Input = z.strictObject({
  waveId: z.string(),
  groupId: z.string(),
  environmentId: z.string(),
  attempt: z.int(),
  tiers: z.array(z.array(z.string())),
});

/** Step 11: targets launch behind quarantine in dependency order, then the reversible actions, and last the traffic. */
export const postCutover = defineStep({
  number: 11,
  name: 'postCutover',
  scope: 'group',
  key: ({ tiers }) => ofBatch(tiers.flat()),
  input: Input,
  before: z.strictObject({ found: z.array(ActionBefore) }),
  output: z.strictObject({ actions: z.array(Applied) }),
  *capture(ctx, { waveId, tiers }) {
    return { found: yield* captureActions.call(ctx, { waveId, workloadIds: tiers.flat() }) };
  },
  *precheck(ctx, { waveId, tiers }, _before, _attempt, changed) {
    const leaveOut = changed?.leaveOut ?? [];
    return { actions: yield* precheckActions.call(ctx, { waveId, workloadIds: tiers.flat(), leaveOut }) };
  },
  changes: {
    // Never what moves the traffic: a cutover without that is none.
    schema: z.strictObject({ leaveOut: z.array(z.string()).min(1).describe('names of actions that are not done') }),
    needs: 'operator',
  },
  *run(ctx, input, _before, attempt, changed) {
    const { waveId, tiers } = input;
    // A retry leaves alone what has traffic already.
    const still = yield* withoutTraffic.call(ctx, { waveId, workloadIds: tiers.flat() });
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds: still,
      operationId: ctx.operationId('launching', attempt),
      phase: 'launching',
      reason: 'sources are off',
    });
    yield* launchAll(ctx, input, only(tiers, still), 'cutover');
    ctx.safePoint();
    const applied = yield* actAll(ctx, input, false, changed?.leaveOut);
    ctx.safePoint();
    const traffic = { waveId, workloadIds: still, step: 'postCutover', part: 'traffic' } as const;
    const move = (notAfter?: string) => moveTraffic(ctx, waveId, still, attempt, notAfter);
    if (still.length > 0) yield* inTime(ctx, traffic, move);
    else yield* move();
    const moved = yield* actAll(ctx, input, true);
    return { actions: [...applied, ...moved] };
  },
  *verify(ctx, input, { actions }) {
    yield* confirmAll(ctx, input, actions);
    return { stand: actions.length };
  },
  *undo(ctx, input, { found }) {
    yield* actAllBack(ctx, input, found);
    yield* destroyAll(ctx, input, input.tiers.flat(), 'cutover');
  },
  todo: ({ tiers }, { found }) => [
    ...found
      .toReversed()
      .toSorted((a, b) => Number(b.movesTraffic) - Number(a.movesTraffic))
      .map(({ todo }) => todo),
    ...tiers.flat().map((id) => `delete the target of ${id}: machine, network interface and disks`),
  ],
});

/** The point of no free return. From here on the target may accept writes: the phase says so before the first record changes. */
function* moveTraffic(
  ctx: Ctx,
  waveId: string,
  workloadIds: string[],
  attempt: number,
  notAfter: string | undefined,
): Flow<void> {
  // What was ordered while the way back was free is heeded now: nothing may come between this look and the next line.
  ctx.safePoint();
  ctx.freeReturn = false;
  try {
    yield* enterPhase.call(ctx, {
      ...{ waveId, workloadIds, phase: 'trafficMoved', reason: 'traffic moves to the targets' },
      operationId: ctx.operationId('traffic', attempt),
      ...(notAfter === undefined ? {} : { notAfter }),
    });
  } catch (error) {
    ctx.freeReturn = isTooLate(error);
    throw error;
  }
}

function only(tiers: string[][], wanted: string[]): string[][] {
  return tiers.map((tier) => tier.filter((workloadId) => wanted.includes(workloadId)));
}
