import { z } from 'zod';
import type { Ctx, Flow } from '../../../shared/durable/flow.ts';
import { defineStep } from '../../../shared/durable/step.ts';
import { MigrationError, terminal } from '../../../shared/errors.ts';
import { OnFailure } from '../../../shared/model/failurePolicy.ts';
import { stayBehind } from '../../attention.ts';
import { CheckChanges, checkAll, failedIn, type Tested } from '../../checks.ts';
import { passGate } from '../../gate.ts';
import { type Judged, proveTestIsolation, recordIsolation } from '../../isolation/activities.ts';
import { openIn, proveAll } from '../../isolation.ts';
import { enterPhase } from '../../journal/activities.ts';
import { destroyAll, tryLaunchAll } from '../../machines.ts';
import { failedTogether } from '../../outcome.ts';
import {
  cloneLife,
  earlierSignOff,
  ensureIsolationGroup,
  type Isolated,
  removeIsolationGroup,
  Signed,
} from './activities.ts';

const Input = z.strictObject({
  waveId: z.string(),
  groupId: z.string(),
  environmentId: z.string(),
  workloadIds: z.array(z.string()),
  attempt: z.int(),
  onFailure: OnFailure.default('hold'),
});
type Input = z.infer<typeof Input>;

/** Step 8: clones of the newest points in a network proven isolated, the test plan, people's sign-off. Deltas go on meanwhile. */
export const uat = defineStep({
  number: 8,
  name: 'uat',
  scope: 'group',
  input: Input,
  before: z.strictObject({ signed: Signed.optional() }),
  output: Signed,
  changes: CheckChanges,
  skip: {
    needs: 'approver',
    *instead(ctx, input, { by, reason }, attempt) {
      yield* enter(ctx, input, 'testing', attempt, 'UAT is skipped');
      yield* removeClones(ctx, input);
      yield* enter(ctx, input, 'tested', attempt, `UAT was skipped by ${by}: ${reason}`);
      return { isolation: [], tested: [], signOff: 'skipped', decisions: [] };
    },
  },
  *capture(ctx, input) {
    const { waveId, workloadIds } = input;
    const signed = yield* earlierSignOff.call(ctx, { waveId, workloadIds });
    if (signed !== null) return { signed };
    yield* noteProduction(ctx, input);
    return {};
  },
  *precheck(ctx, input, { signed }, attempt) {
    return { isolation: signed?.isolation ?? (yield* requireIsolation(ctx, input, attempt)) };
  },
  *run(ctx, input, { signed }, attempt, changed) {
    // People have tested these workloads, and no rollback and no other plan has come since: nobody is asked twice.
    if (signed !== undefined) return signed;
    const { waveId, groupId, environmentId, workloadIds } = input;
    yield* enter(ctx, input, 'testing', attempt, 'UAT begins');
    // Clones of an earlier try are of an older point.
    if (attempt > 1) yield* removeClones(ctx, input);
    const networkSecurityGroupId = yield* ensureIsolationGroup.call(ctx, {
      waveId,
      groupId,
      environmentId,
      workloadIds,
    });
    const up = yield* launchClones(ctx, input, networkSecurityGroupId, attempt);
    const cloned = { ...input, workloadIds: up };
    const leaveOut = changed?.leaveOut ?? [];
    const isolation = yield* requireProof(ctx, cloned, attempt, 'booted', leaveOut);
    const tested = yield* checkAll(ctx, cloned, 'test', leaveOut);
    // A clone that registers itself may do so minutes after it has booted.
    isolation.push(...(yield* requireProof(ctx, cloned, attempt, 'tested', leaveOut)));
    const passed = yield* passedOf(ctx, cloned, tested, attempt);
    const behind = workloadIds.filter((id) => !passed.includes(id));
    const but = behind.length === 0 ? '' : ` ${behind.join(', ')} failed and stays behind.`;
    const checked = tested.filter(({ workloadId }) => passed.includes(workloadId)).flatMap(({ results }) => results);
    const question = `UAT of ${groupId}: ${checked.length} checks passed.${but} Sign off?`;
    const within = yield* cloneLife.call(ctx, { waveId, workloadIds });
    const asked = {
      waveId,
      groupId,
      workloadIds: passed,
      name: 'uat',
      question,
      attempt: input.attempt,
      turn: attempt,
      within,
    } as const;
    const gate = yield* passGate(ctx, asked);
    if (gate.status === 'expired') {
      yield* removeClones(ctx, input);
      throw terminal(
        'gateRejected',
        `Nobody signed off ${groupId}’s UAT within ${within}, and its clones are gone.`,
        'Retry to make new clones and ask again, or roll back.',
      );
    }
    if (gate.status === 'rejected')
      throw terminal(
        'gateRejected',
        `The sign-off of ${groupId}’s UAT was rejected.`,
        'Read the comments, then retry or roll back.',
        gate.decisions.map(({ by, comment }) => `${by}: ${comment}`).join('; '),
      );
    yield* removeClones(ctx, input);
    const signedOff = gate.approved;
    yield* enter(ctx, { ...input, workloadIds: signedOff }, 'tested', attempt, 'UAT is signed off');
    return { isolation, tested, signOff: gate.status, signedOff, decisions: gate.decisions };
  },
  *undo(ctx, input) {
    yield* removeClones(ctx, input);
  },
  todo: ({ groupId, workloadIds }) => [
    ...workloadIds.map((id) => `delete the test clone of ${id}: machine, network interface and disks`),
    `delete the isolation security group of ${groupId}`,
  ],
});

function* enter(
  ctx: Ctx,
  { waveId, workloadIds }: Input,
  phase: 'testing' | 'tested',
  attempt: number,
  reason: string,
): Flow<void> {
  yield* enterPhase.call(ctx, { waveId, workloadIds, operationId: ctx.operationId(phase, attempt), phase, reason });
}

/** Whose clones have come up; throws where some have not, unless the group goes on without them and anybody is left. */
function* launchClones(ctx: Ctx, input: Input, behind: string, attempt: number): Flow<string[]> {
  const { waveId, workloadIds, onFailure } = input;
  const down = yield* tryLaunchAll(ctx, input, [workloadIds], 'test', behind);
  const up = workloadIds.filter((id) => !down.has(id));
  const failed = failedTogether(down);
  if (failed === undefined) return up;
  if (onFailure !== 'goOn' || up.length === 0) throw failed;
  // What has come up by half is not proven isolated.
  yield* destroyAll(ctx, input, [...down.keys()], 'test');
  const subject = { waveId, workloadIds: [...down.keys()] };
  yield* stayBehind(ctx, {
    subject,
    operationId: ctx.operationId('down', attempt),
    step: 'uat',
    failure: failed.failure,
  });
  return up;
}

/** Who has passed; throws where somebody failed, unless the group goes on without them and anybody is left. */
function* passedOf(
  ctx: Ctx,
  { waveId, groupId, onFailure }: Input,
  tested: readonly Tested[],
  attempt: number,
): Flow<string[]> {
  const failed = tested.filter(({ results }) => results.some((result) => !result.passed));
  const passed = tested.filter((each) => !failed.includes(each)).map(({ workloadId }) => workloadId);
  if (failed.length === 0) return passed;
  const details = failedIn(failed);
  const error = terminal(
    'checkFailed',
    `UAT of ${groupId} failed ${details.length} checks.`,
    'The clones are still there: look, then retry or roll back.',
    details.join('; '),
  );
  if (onFailure !== 'goOn' || passed.length === 0) throw error;
  const subject = { waveId, workloadIds: failed.map(({ workloadId }) => workloadId) };
  const { failure } = error;
  yield* stayBehind(ctx, { subject, operationId: ctx.operationId('failed', attempt), step: 'uat', failure });
  return passed;
}

/** Tells the clones of one try from those of the next. */
const clonesOf = (ctx: Ctx, attempt: number): string => ctx.operationId('clones', attempt);

/** Where production names lead before any clone boots: what they must go on leading to. */
function* noteProduction(ctx: Ctx, input: Input): Flow<void> {
  const noted = openIn(yield* proveAll(ctx, input, { of: '', when: 'noted', leaveOut: [] }));
  if (noted.length === 0) return;
  throw terminal(
    'isolationBroken',
    `The plan of ${input.groupId} requires probes that cannot be run: ${noted.join('; ')}.`,
    'See that the target appliance resolves these names, then retry; or let an approver skip UAT.',
  );
}

/** Before anything boots: the rules around the test network. */
function* requireIsolation(ctx: Ctx, { waveId, workloadIds }: Input, attempt: number): Flow<Isolated[]> {
  const found = yield* proveTestIsolation.call(ctx, { waveId, workloadIds });
  const findings = found.map((each) => ({ ...each, seen: [] }));
  const [of, operationId] = [clonesOf(ctx, attempt), ctx.operationId('isolation', attempt)];
  const looked = { waveId, operationId, of, when: 'beforeBoot' as const, findings, leaveOut: [] };
  const judged = yield* recordIsolation.call(ctx, looked);
  const open = openIn(judged);
  if (open.length > 0)
    throw terminal(
      'isolationBroken',
      `The test network is not isolated: ${open.join('; ')}.`,
      'Close what is named; nothing boots before. Then retry.',
    );
  return judged.map(inShort);
}

/** Once the clones are there: rules and probes. Clones without this proof do not stay. */
function* requireProof(
  ctx: Ctx,
  input: Input,
  attempt: number,
  when: 'booted' | 'tested',
  leaveOut: string[],
): Flow<Isolated[]> {
  let judged: Judged[];
  try {
    judged = yield* proveAll(ctx, input, { of: clonesOf(ctx, attempt), when, leaveOut });
  } catch (error) {
    if (error instanceof MigrationError) yield* removeClones(ctx, input);
    throw error;
  }
  const open = openIn(judged);
  if (open.length === 0) return judged.map(inShort);
  yield* removeClones(ctx, input);
  throw terminal(
    'isolationBroken',
    `The clones of ${input.groupId} were not isolated, and are gone: ${open.join('; ')}.`,
    'Close what is named, and put names back that lead elsewhere now. Then retry: new clones are made.',
  );
}

const inShort = ({ workloadId, proof }: Judged): Isolated => ({ workloadId, proof });

function* removeClones(ctx: Ctx, input: Input): Flow<void> {
  const { waveId, groupId, environmentId, workloadIds } = input;
  yield* destroyAll(ctx, input, workloadIds, 'test');
  yield* removeIsolationGroup.call(ctx, { waveId, groupId, environmentId });
}
