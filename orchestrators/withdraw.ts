// What an order to withdraw the whole wave has not found in a running group: members of groups that had ended, of groups
// that did not heed it, and those who had left theirs. They go once every group has ended.
import { z } from 'zod';
import { inCrews } from '../shared/durable/crew.ts';
import type { Ctx, Flow } from '../shared/durable/flow.ts';
import { defineOrchestrator } from '../shared/durable/orchestrator.ts';
import { Interruption } from '../shared/model/control.ts';
import { allSteps, prepareSteps } from './itinerary.ts';
import { enterPhase, recordGroup } from './journal/activities.ts';
import { stillReplicating } from './journal/reads/activities.ts';
import { GroupOutcome } from './membership.ts';
import { type Taken, undoingOf } from './saga.ts';
import { untilDone, walkBack } from './walkBack.ts';

/** Undoes steps 7 to 4 of one workload that goes on replicating. Nothing interrupts it. */
export const withdraw = defineOrchestrator({
  name: 'withdraw',
  input: z.strictObject({
    ...{ waveId: z.string(), workloadId: z.string() },
    ...{ method: z.enum(['agent', 'agentless']), signal: Interruption },
  }),
  output: z.null(),
  *run(ctx, { waveId, workloadId, method, signal }) {
    const workload = { waveId, workloadId };
    const { action, by, reason } = signal;
    const enter = (phase: 'rollingBack' | 'withdrawn', said: string): Flow<null> =>
      enterPhase.call(ctx, {
        ...{ waveId, workloadIds: [workloadId], phase, reason: said },
        operationId: ctx.operationId(phase),
      });
    yield* enter('rollingBack', `${action} by ${by}: ${reason}`);
    yield* ctx.shielded(undoPreparation(ctx, workload, method));
    yield* enter('withdrawn', reason);
    return null;
  },
});

/** Whoever prepared it has ended: its steps say themselves what they would undo. */
function* undoPreparation(
  ctx: Ctx,
  workload: { waveId: string; workloadId: string },
  method: 'agent' | 'agentless',
): Flow<void> {
  const { waveId, workloadId } = workload;
  const subject = { waveId, workloadIds: [workloadId] };
  const taken: Taken[] = [];
  for (const step of prepareSteps[method]) {
    const todo = [undoingOf(step, subject)];
    yield* untilDone(ctx, step.name, subject, ['rearm', step.name], todo, function* () {
      const before: unknown = step.before.parse(yield* step.capture(ctx, workload, 1));
      taken.push({ step: step.name, input: workload, before });
    });
  }
  yield* walkBack(ctx, taken, allSteps, subject);
}

/** Withdraws whatever of a group that has ended goes on replicating, and says so. */
export const withdrawGroup = defineOrchestrator({
  name: 'withdrawGroup',
  input: z.strictObject({
    ...{ waveId: z.string(), groupId: z.string(), attempt: z.int() },
    ...{ signal: Interruption, ended: GroupOutcome },
  }),
  output: z.null(),
  *run(ctx, { waveId, groupId, attempt, signal, ended }) {
    const rest = yield* stillReplicating.call(ctx, { waveId, groupId });
    if (rest.length === 0) return null;
    const members = rest.map(({ workloadId, method }) => ({
      instanceId: `withdraw-${waveId}.${workloadId}-${attempt}`,
      input: { waveId, workloadId, method, signal },
    }));
    yield* inCrews(ctx, withdraw, [members], { waveId, id: `crew-${waveId}.${groupId}-${attempt}-withdraw` });
    const { action, by, reason } = signal;
    const gone = rest.map(({ workloadId }) => workloadId).join(', ');
    const status = ended.outcome === 'incomplete' || ended.outcome === 'failed' ? ended.outcome : 'rolledBack';
    yield* recordGroup.call(ctx, {
      ...{ waveId, groupId, status, instanceId: `group-${waveId}.${groupId}-${attempt}` },
      reason: `${action} by ${by}: ${reason}; ${gone} withdrawn; before that: ${ended.reason}`.slice(0, 1000),
    });
    return null;
  },
});
