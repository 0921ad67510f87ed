import { z } from 'zod';
import { Interrupted, immediately } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { terminal } from '../../../shared/errors.ts';
import { CommitPolicy } from '../../../shared/model/settings.ts';
import { commitDecision } from '../../../shared/policy/commit.ts';
import { checkAll, failedIn, Tested } from '../../checks.ts';
import { passGate } from '../../gate.ts';
import { enterPhase, recordStep } from '../../journal/activities.ts';

const Input = z.strictObject({
  waveId: z.string(),
  groupId: z.string(),
  workloadIds: z.array(z.string()),
  attempt: z.int(),
  commitPolicy: CommitPolicy,
});

/** Step 12: technical checks, then the commit policy and people decide: commit, or walk back. */
export const finalValidation = defineStep({
  number: 12,
  name: 'finalValidation',
  scope: 'group',
  input: Input,
  before: z.strictObject({}),
  output: z.strictObject({ validated: z.array(Tested), decision: z.string(), decisions: z.array(z.unknown()) }),
  capture: () => immediately({}),
  *run(ctx, { waveId, groupId, workloadIds, attempt: waveAttempt, commitPolicy }, _before, attempt) {
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds,
      operationId: ctx.operationId('validating', attempt),
      phase: 'validating',
      reason: 'traffic has moved',
    });
    const validated = yield* checkAll(ctx, { waveId, groupId, workloadIds, attempt: waveAttempt }, 'cutover');
    const failed = failedIn(validated);
    const verdict = commitDecision(commitPolicy, failed.length === 0 ? 'passed' : 'failed');
    if (verdict === 'rollback')
      throw byPolicy(
        failed.length === 0
          ? 'validation passed and the policy asks to roll back'
          : `validation failed: ${failed.join('; ')}`,
      );
    if (failed.length > 0)
      throw terminal(
        'checkFailed',
        `Validation of ${groupId} failed ${failed.length} checks.`,
        'Mend the target and retry, or roll back.',
        failed.join('; '),
      );
    yield* recordStep.call(ctx, {
      waveId,
      workloadIds,
      operationId: ctx.operationId('serving', attempt),
      what: { type: 'landfall.downtime.ended', data: { at: ctx.now() } },
    });
    const question = `${groupId} serves from its targets and ${validated.reduce((sum, { results }) => sum + results.length, 0)} checks passed. Commit? There is no way back afterwards.`;
    const gate = yield* passGate(ctx, {
      waveId,
      groupId,
      workloadIds,
      name: 'commit',
      question,
      attempt: waveAttempt,
      turn: attempt,
      within: commitPolicy.timeout,
    });
    const decision =
      gate.status === 'expired'
        ? commitDecision(commitPolicy, 'timedOut')
        : gate.status === 'rejected'
          ? 'rollback'
          : 'commit';
    if (decision === 'rollback') throw byPolicy(`the commit of ${groupId} was ${gate.status}`);
    if (decision !== 'commit')
      throw terminal(
        'gateRejected',
        `Nobody decided on the commit of ${groupId} within ${commitPolicy.timeout}.`,
        'Retry to ask again, or roll back.',
      );
    yield* enterPhase.call(ctx, {
      waveId,
      workloadIds,
      operationId: ctx.operationId('committed', attempt),
      phase: 'committed',
      reason: `commit ${gate.status}`,
    });
    return { validated, decision, decisions: gate.decisions };
  },
  // It only looked; what it looked at is undone by steps 11 to 9.
  undo: () => immediately(undefined),
  todo: () => [],
});

function byPolicy(reason: string): Interrupted {
  return new Interrupted({ action: 'rollback', to: 'replicating', by: 'commit policy', reason });
}
