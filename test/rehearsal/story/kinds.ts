// Every kind of mischief, of people's decisions and of what policies do, each with how one sees that it happened and made
// a difference.

import type { Rehearsal } from '../../../rehearsal/rehearse.ts';
import { early, late } from '../../../rehearsal/story/moment.ts';
import type { FailureKind } from '../../../rehearsal/story/story.ts';
import type { ErrorCode } from '../../../shared/errors.ts';
import { type Phase, targetMayHaveWrites } from '../../../shared/lifecycle/phases.ts';
import { isInterruption } from '../../../shared/model/control.ts';
import type { GateDocument } from '../../../shared/store/documents.ts';
import { Evidence, type Ordered } from './evidence.ts';

type Kind = (story: Evidence) => boolean;

const activity =
  (kind: FailureKind): Kind =>
  ({ rehearsal }) =>
    rehearsal.failures.has(kind);

const mischief: Record<string, Kind> = {
  'an activity fails in passing': activity('transient'),
  'an activity is throttled': activity('throttled'),
  'an activity succeeds and its answer is lost': activity('lost'),
  'an activity ends halfway': activity('halfway'),
  'an activity fails for good': activity('terminal'),
  'an activity runs twice': activity('twice'),
  'an activity runs twice at once': activity('atOnce'),
  'the engine crashes': ({ rehearsal }) => rehearsal.crashes > 0,
  'the engine crashes between an effect and its record': ({ rehearsal }) => ranAgain(rehearsal) > 0,
  'a request is cut off': ({ rehearsal }) => rehearsal.cutOff > 0,
  'the change feed tells something twice': ({ rehearsal }) => rehearsal.world.fed.twice > 0,
  'the change feed is late': ({ rehearsal }) => rehearsal.world.fed.late > 0,
  'an event comes twice': ({ rehearsal }) => rehearsal.world.appliances.heard.twice > 0,
  'events come in another order': ({ rehearsal }) => rehearsal.world.appliances.heard.overtaken > 0,
  'a command waits for who is away': ({ rehearsal }) => rehearsal.world.appliances.heard.waited > 0,
  'a sync stalls': (story) => story.entry('landfall.sync.stalled'),
  ...Object.fromEntries(
    (['checkFailed', 'applianceSilent', 'syncFailed', 'serviceFailed', 'shutdownRefused', 'timeout'] as const).map(
      (code: ErrorCode) => [`a step fails: ${code}`, (story: Evidence) => failed(story, code)],
    ),
  ),
};

/** Activities that ran once more without having been told to. */
function ranAgain({ world, failures }: Rehearsal): number {
  const calls = world.script.calls.map(({ operationId, attempt }) => `${operationId} ${attempt}`);
  const meant = (failures.get('twice') ?? 0) + (failures.get('atOnce') ?? 0);
  return calls.length - new Set(calls).size - meant;
}

function failed(story: Evidence, code: ErrorCode): boolean {
  return story.entry('landfall.step.failed', ({ failure }) => failure.code === code);
}

/** An order to walk back that somebody follows. */
const back =
  (action: 'rollback' | 'cancel', scope: Ordered['scope'], to: 'replicating' | 'withdrawn', by = 'people'): Kind =>
  (story) =>
    story.ordered(
      by,
      ({ signal, ...order }) =>
        isInterruption(signal) && signal.action === action && signal.to === to && order.scope === scope,
      'landfall.workload.phaseEntered',
      ({ phase, reason }, { signal }) => phase === 'rollingBack' && reason.startsWith(`${action} by ${signal.by}`),
    );
const leaves =
  (to: 'replicating' | 'withdrawn'): Kind =>
  (story) =>
    story.ordered(
      'people',
      ({ signal }) => isInterruption(signal) && signal.to === to && signal.workloadIds !== undefined,
      'landfall.workload.left',
      ({ by }, { signal }) => by === signal.by,
    );
const pauses =
  (scope: Ordered['scope'], deltas: 'goOn' | 'stop'): Kind =>
  (story) =>
    story.ordered(
      'people',
      ({ signal, ...order }) => signal.action === 'pause' && signal.deltas === deltas && order.scope === scope,
      'landfall.workload.paused',
      ({ by, ...paused }, { signal }) => by === signal.by && paused.deltas === deltas,
    );

const orders: Record<string, Kind> = {
  'a wave is rolled back': back('rollback', 'wave', 'replicating'),
  'a wave is withdrawn': back('rollback', 'wave', 'withdrawn'),
  'a wave is cancelled': back('cancel', 'wave', 'withdrawn'),
  'a group is rolled back': back('rollback', 'group', 'replicating'),
  'a group is withdrawn': back('rollback', 'group', 'withdrawn'),
  'a workload is rolled back alone': leaves('replicating'),
  'a workload is withdrawn alone': leaves('withdrawn'),
  'a rollback accepts what was written': (story) =>
    story.ordered(
      'people',
      ({ signal }) => 'acceptDataLoss' in signal && signal.acceptDataLoss === true,
      'landfall.workload.phaseEntered',
      ({ phase }, _order, entry) =>
        phase === 'rollingBack' && targetMayHaveWrites.has(story.phaseBefore(entry) ?? 'registered'),
    ),
  ...Object.fromEntries(
    [...early, ...late, 'validating' as const].map((phase) => [
      `people order somebody back from ${phase}`,
      (story: Evidence) => backFrom(story, phase),
    ]),
  ),
  'a rollback comes too late to be free': (story) => story.waves(({ unheeded }) => unheeded !== undefined),
  'a wave is paused': pauses('wave', 'goOn'),
  'a wave is paused with its deltas': pauses('wave', 'stop'),
  'a group is paused': (story) => pauses('group', 'goOn')(story) || pauses('group', 'stop')(story),
  'a workload is paused': (story) => pauses('workload', 'goOn')(story) || pauses('workload', 'stop')(story),
  'a pause ends': (story) => story.entry('landfall.workload.resumed'),
  'a workload is deferred': (story) =>
    story.ordered(
      'people',
      ({ signal }) => signal.action === 'defer',
      'landfall.workload.phaseEntered',
      ({ reason }) => reason.startsWith('deferred'),
    ),
  'a workload is put first': (story) =>
    story.ordered(
      'people',
      ({ signal }) => signal.action === 'rush',
      'landfall.workload.phaseEntered',
      // One of the others is queued again when the one that was to be first has begun.
      ({ phase }, { signal }, { waveId, workloadId, event }) => {
        const [first = ''] = 'workloadIds' in signal ? (signal.workloadIds ?? []) : [];
        const began = story.came(waveId, first, 'stoppingServices');
        return phase === 'cutoverQueued' && workloadId !== first && began !== undefined && began < event.time;
      },
    ),
  'validation runs again': (story) =>
    story.ordered(
      'people',
      ({ signal }) => signal.action === 'revalidate',
      'landfall.validation.judged',
      ({ turn }) => turn > 1,
    ),
};

/** Whether a workload went back, with others or alone, from a phase, as people had ordered. */
function backFrom(story: Evidence, wanted: Phase): boolean {
  return story.ordered(
    'people',
    ({ signal }) => isInterruption(signal),
    'landfall.workload.phaseEntered',
    ({ phase, reason }, { signal }, entry) =>
      phase === 'rollingBack' && reason.includes(`by ${signal.by}`) && story.phaseBefore(entry) === wanted,
  );
}

const changed =
  (step: string): Kind =>
  (story) =>
    story.entry('landfall.step.started', (data) => data.step === step && data.changed !== undefined);

const answers: Record<string, Kind> = {
  'a step is tried again': (story) => story.answered('people', ({ choice }) => choice === 'retry'),
  ...Object.fromEntries(
    ['uat', 'finalDelta', 'postCutover', 'finalValidation'].map((step) => [
      `${step} is tried again with other input`,
      changed(step),
    ]),
  ),
  'a step is skipped': (story) => story.entry('landfall.step.skipped'),
  'a question leads back': (story) => story.answered('people', ({ choice }) => choice === 'rollback'),
  'a question leads one workload back alone': (story) => story.answered('people', ({ alone }) => alone === true),
  'a question ends the wave': (story) => story.answered('people', ({ choice }) => choice === 'cancel'),
  'an undo is tried again': (story) =>
    story.answered('people', ({ choice }, { during }) => during === 'undo' && choice === 'retry'),
  'an undo is done by hand': (story) => story.entry('landfall.step.undone', ({ byHand }) => byHand !== undefined),
  'a question has lost its meaning': ({ rehearsal }) =>
    rehearsal.world
      .documents<{ kind: 'attention'; status: string }>('attention')
      .some((each) => each.status === 'withdrawn'),
};

const gate =
  (is: (gate: GateDocument) => boolean): Kind =>
  (story) =>
    story.gate(is);
const expired = (status: GateDocument['status'], onExpiry: string): Kind =>
  gate(
    (each) =>
      each.status === status &&
      each.policy.onExpiry === onExpiry &&
      each.decisions.some(({ byPolicy }) => byPolicy === true),
  );

const gates: Record<string, Kind> = {
  'UAT is rejected': gate(({ name, status }) => name === 'uat' && status === 'rejected'),
  'a cutover is rejected': gate(({ name, status }) => name === 'cutover' && status === 'rejected'),
  'a commit is rejected': gate(({ name, status }) => name === 'commit' && status === 'rejected'),
  'a gate before a step is approved': gate(({ name, status }) => name.startsWith('before:') && status === 'approved'),
  'a gate before a step is rejected': gate(({ name, status }) => name.startsWith('before:') && status === 'rejected'),
  'two approve': gate(({ status, policy }) => status === 'approved' && policy.quorum > 1),
  'some workloads are approved': gate(
    ({ approved = [], workloadIds }) => approved.length > 0 && approved.length < workloadIds.length,
  ),
  'a vote is cast for another': gate(({ decisions }) => decisions.some(({ onBehalfOf }) => onBehalfOf !== undefined)),
  'a gate expires and is approved': expired('approved', 'approve'),
  'a gate expires and is rejected': expired('rejected', 'reject'),
  'a gate expires and holds': gate(({ status, name }) => status === 'expired' && name !== 'commit'),
  ...Object.fromEntries(
    (['hold', 'commit', 'rollback'] as const).map((what) => [
      `a commit is not decided in time, and the policy says ${what}`,
      (story: Evidence) =>
        story.gate(
          ({ status, name, waveId }) =>
            status === 'expired' &&
            name === 'commit' &&
            story.rehearsal.world.wave(waveId).plan.commitPolicy.onTimeout === what,
        ),
    ]),
  ),
  'a gate has lost its meaning': gate(({ status }) => status === 'withdrawn'),
};

const validated =
  (verdict: string, course: 'onPassed' | 'onFailed' | 'onSilent', what: string): Kind =>
  (story) =>
    story.entry(
      'landfall.validation.judged',
      (data, { waveId }) =>
        data.verdict === verdict && story.rehearsal.world.wave(waveId).plan.commitPolicy[course] === what,
    );
const courses = { passed: 'onPassed', failed: 'onFailed', silent: 'onSilent' } as const;

const policies: Record<string, Kind> = {
  ...Object.fromEntries(
    Object.entries(courses).flatMap(([verdict, course]) =>
      ['commit', 'wait', 'rollback'].map((what) => [
        `validation ${verdict}, and the policy says ${what}`,
        validated(verdict, course, what),
      ]),
    ),
  ),
  'nobody answers in time, and the policy rolls back': (story) =>
    story.entry(
      'landfall.workload.phaseEntered',
      ({ phase, reason }) => phase === 'rollingBack' && reason.includes('nobody answered for'),
    ),
  'a failure rolls its group back': (story) => story.answered('failure policy', ({ alone }) => alone !== true),
  'a failure lets one workload leave': (story) => story.answered('failure policy', ({ alone }) => alone === true),
  'the failure budget pauses a wave': (story) =>
    story.ordered(
      'failure budget',
      () => true,
      'landfall.workload.paused',
      ({ by }) => by === 'failure budget',
    ),
  'a cutover past its window is rolled back': (story) =>
    story.entry(
      'landfall.workload.phaseEntered',
      ({ phase, reason }) => phase === 'rollingBack' && reason.startsWith('rollback by window policy'),
    ),
  'people let a cutover go on past its window': (story) =>
    story.answered('people', ({ choice }, { failure }) => failure.code === 'windowClosed' && choice === 'retry'),
};

const changes: Record<string, Kind> = {
  'a wave is started again': (story) => story.waves(({ attempt }) => attempt > 1),
  'a new version runs': (story) => story.waves(({ revision, attempt }) => revision !== undefined && attempt > 0),
  'a version leaves a workload out': (story) =>
    story.entry('landfall.workload.unregistered', ({ movedTo }) => movedTo === undefined),
  'a workload moves to another wave': (story) =>
    story.entry('landfall.workload.unregistered', ({ movedTo }) => movedTo !== undefined),
  ...Object.fromEntries(
    (['committed', 'incomplete', 'rolledBack', 'cancelled'] as const).map((end) => [
      `a wave ends ${end}`,
      (story: Evidence) => story.waves(({ status }) => status === end),
    ]),
  ),
};

const kinds: Record<string, Kind> = { ...mischief, ...orders, ...answers, ...gates, ...policies, ...changes };
export const allKinds: readonly string[] = Object.keys(kinds);

/** The kinds that happened in a story. */
export function kindsOf(rehearsal: Rehearsal): string[] {
  const story = new Evidence(rehearsal);
  return Object.entries(kinds).flatMap(([name, happened]) => (happened(story) ? [name] : []));
}
