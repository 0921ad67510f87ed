import { z } from 'zod';
import { immediately } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { CommitPolicy } from '../../../shared/model/settings.ts';
import { ofBatch } from '../../../shared/policy/batches.ts';
import { CheckChanges, Tested } from '../../checks.ts';
import { scheduleDecommission } from '../../decommission/activities.ts';
import { enterPhase } from '../../journal/activities.ts';
import { judge, settle, type Turn } from './turn.ts';

const Input = z.strictObject({
  waveId: z.string(),
  groupId: z.string(),
  workloadIds: z.array(z.string()),
  attempt: z.int(),
  commitPolicy: CommitPolicy,
});

const Judged = z.strictObject({
  turn: z.int(),
  verdict: z.enum(['passed', 'failed', 'silent']),
  validated: z.array(Tested),
});

/** Step 12: technical checks, then the commit policy and people decide: commit, or walk back. After the commit the decommission timer runs. */
export const finalValidation = defineStep({
  number: 12,
  name: 'finalValidation',
  scope: 'group',
  key: ({ workloadIds }) => ofBatch(workloadIds),
  input: Input,
  before: z.strictObject({}),
  output: z.strictObject({
    turns: z.array(Judged),
    decision: z.string(),
    decisions: z.array(z.unknown()),
    decommissionAt: z.string().describe('when people are asked whether points and sources may go'),
  }),
  capture: () => immediately({}),
  changes: CheckChanges,
  *run(ctx, input, _before, attempt, changed) {
    const { waveId, workloadIds } = input;
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds,
      operationId: ctx.operationId('validating', attempt),
      phase: 'validating',
      reason: 'traffic has moved',
    });
    const turns: Turn[] = [];
    for (;;) {
      const found = yield* judge(ctx, input, changed?.leaveOut ?? []);
      turns.push(found);
      const gate = yield* settle(ctx, input, found);
      if (gate === undefined) continue;
      yield* enterPhase.call(ctx, {
        waveId,
        workloadIds,
        operationId: ctx.operationId('committed', attempt),
        phase: 'committed',
        reason: `commit ${gate.status}`,
      });
      const operationId = ctx.operationId('decommission', attempt);
      const { dueAt } = yield* scheduleDecommission.call(ctx, {
        waveId,
        groupId: input.groupId,
        workloadIds,
        operationId,
      });
      return { turns, decision: 'commit', decisions: gate.decisions, decommissionAt: dueAt };
    }
  },
  // It only looked; what it looked at is undone by steps 11 to 9.
  undo: () => immediately(undefined),
  todo: () => [],
});
