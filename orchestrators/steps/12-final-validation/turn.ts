// One turn of validation: the checks of all targets, their verdict, and what the commit policy and people make of it.
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { Interrupted } from '../../../shared/durable/flow.ts';
import { type MigrationError, terminal, Undecided } from '../../../shared/errors.ts';
import type { CommitPolicy } from '../../../shared/model/settings.ts';
import { courseAfter, courseAfterTimeout, type Verdict, verdictOf } from '../../../shared/policy/commit.ts';
import { durationMs, plusMs } from '../../../shared/policy/duration.ts';
import { checkAll, failedIn, type Tested } from '../../checks.ts';
import { type GateResult, passGate } from '../../gate.ts';
import { recordStep } from '../../journal/activities.ts';
import { recordTurn } from './activities.ts';

interface Validated {
  waveId: string;
  groupId: string;
  workloadIds: string[];
  attempt: number;
  commitPolicy: CommitPolicy;
}

export interface Turn {
  turn: number;
  verdict: Verdict;
  validated: Tested[];
}

/** Runs the checks once more, each with the patience that its plan has, and keeps what they found. */
export function* judge(ctx: Ctx, input: Validated, leaveOut: string[]): Flow<Turn> {
  const turn = ctx.nextCount('validation');
  const validated = yield* checkAll(ctx, input, 'cutover', leaveOut);
  const { waveId } = input;
  yield* recordTurn.call(ctx, { waveId, operationId: ctx.operationId('turn', turn), turn, validated });
  return { turn, verdict: verdictOf(validated.flatMap(({ results }) => results)), validated };
}

/**
 * Commits or does not: returns the approval, or undefined when people want the checks to run again. Throws what the
 * policy or people decided otherwise: the way back as `Interrupted`, a question to people as a failure.
 */
export function* settle(ctx: Ctx, input: Validated, found: Turn): Flow<GateResult | undefined> {
  const { waveId, groupId, workloadIds, attempt, commitPolicy } = input;
  const { turn, verdict } = found;
  const course = courseAfter(commitPolicy, verdict);
  if (course === 'rollback') throw byPolicy(`validation ${said(found)}, and the policy asks to roll back`);
  if (course === 'wait' && verdict !== 'passed') throw unproven(ctx, input, found);
  yield* recordStep.call(ctx, {
    ...{ waveId, workloadIds, operationId: ctx.operationId('serving', turn) },
    what: { type: 'landfall.downtime.ended', data: { at: ctx.now() } },
  });
  const again = revalidations(ctx);
  const gate = yield* passGate(
    ctx,
    {
      ...{ waveId, groupId, workloadIds, attempt, turn, name: 'commit', within: commitPolicy.timeout },
      question: `${groupId} serves from its targets and validation ${said(found)}. Commit? There is no way back afterwards.`,
    },
    () => revalidations(ctx) > again,
  );
  if (gate.status === 'left') return undefined;
  if (gate.status === 'rejected') throw byPolicy(`the commit of ${groupId} was rejected`);
  if (gate.status !== 'expired') return gate;
  const late = courseAfterTimeout(commitPolicy, verdict);
  if (late === 'commit') return gate;
  if (late === 'rollback') throw byPolicy(`the commit of ${groupId} was expired`);
  throw terminal(
    'gateRejected',
    `Nobody decided on the commit of ${groupId} within ${commitPolicy.timeout}.`,
    'Retry to validate and ask again, or roll back.',
  );
}

/** How often people have asked for another turn so far. */
function revalidations({ orders }: Ctx): number {
  return orders.filter(({ action }) => action === 'revalidate').length;
}

function unproven(ctx: Ctx, { groupId, commitPolicy }: Validated, found: Turn): MigrationError {
  const detail = failedIn(found.validated).join('; ');
  const failed = found.verdict === 'failed';
  const error = failed
    ? terminal('checkFailed', `Validation of ${groupId} failed.`, 'Mend the target and retry, or roll back.', detail)
    : terminal(
        'applianceSilent',
        `Validation of ${groupId} got no answer.`,
        'Look after the target appliance (GET /api/appliances) and retry, or roll back.',
        detail,
      );
  return inTime(ctx, commitPolicy, error, found.verdict, `nobody answered for ${commitPolicy.timeout}`);
}

/** Where the policy rolls back when people do not answer in time, the question has that limit. */
function inTime(ctx: Ctx, policy: CommitPolicy, error: MigrationError, verdict: Verdict, why: string): MigrationError {
  if (courseAfterTimeout(policy, verdict) !== 'rollback') return error;
  const reason = `${error.failure.message} ${why}`;
  return new Undecided(error.failure, plusMs(ctx.now(), durationMs(policy.timeout)), byPolicy(reason).signal);
}

function said({ verdict, validated }: Turn): string {
  const count = validated.reduce((sum, { results }) => sum + results.length, 0);
  if (verdict === 'passed') return `passed ${count} checks`;
  return `${verdict === 'failed' ? 'failed' : 'got no answer'}: ${failedIn(validated).join('; ')}`.slice(0, 1000);
}

function byPolicy(reason: string): Interrupted {
  return new Interrupted({ action: 'rollback', to: 'replicating', by: 'commit policy', reason });
}
