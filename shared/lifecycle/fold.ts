// The workload state machine: pure and total. `apply` takes every event in every state and either returns the next
// state or says why a platform decision is illegal. Reports from appliances are never illegal: they are facts that may
// come late or twice, and then change nothing but the record of what was heard.

import { actionsAfter } from './actions.ts';
import { waitingAfter } from './effects.ts';
import type { PlatformEvent, ReportedEvent, WorkloadEvent } from './events.ts';
import { idlePhases, mayMove, Phase } from './phases.ts';
import type { Point, SyncRegion, WorkloadState } from './state.ts';
import { stepAfter } from './stepRecord.ts';
import { withRun } from './syncRuns.ts';
import { doubted, toldAfter } from './told.ts';
import { ttlAfter } from './ttl.ts';

const pointsKept = 12;

export type Applied = { state: WorkloadState } | { illegal: string };

/** Folds one event into a state; `undefined` is the state before `landfall.workload.registered`. */
export function apply(state: WorkloadState | undefined, event: WorkloadEvent): Applied {
  if (event.type === 'landfall.workload.registered')
    return state === undefined ? { state: born(event) } : { illegal: 'the workload is registered already' };
  if (state === undefined) return { illegal: `"${event.type}" came before the workload was registered` };
  const next = decide(state, event);
  if ('illegal' in next) return next;
  return {
    state: {
      ...next.state,
      version: state.version + 1,
      updatedAt: later(state.updatedAt, event.time),
      heard: hear(state, event),
    },
  };
}

/** Folds a whole log. Throws on an illegal event: a log that was written by `apply` has none. */
export function fold(events: Iterable<WorkloadEvent>): WorkloadState | undefined {
  let state: WorkloadState | undefined;
  for (const event of events) {
    const applied = apply(state, event);
    if ('illegal' in applied) throw new Error(`event ${event.id}: ${applied.illegal}`);
    state = applied.state;
  }
  return state;
}

function born(event: Extract<PlatformEvent, { type: 'landfall.workload.registered' }>): WorkloadState {
  const { version, ...data } = event.data;
  return {
    ...data,
    ...(version === undefined ? {} : { planVersion: version }),
    phase: Phase.registered,
    version: 1,
    updatedAt: event.time,
    sync: { status: 'idle', attempt: 0 },
    points: [],
    syncRuns: [],
    totals: { initialBytes: 0, deltaBytes: 0, finalBytes: 0, deltas: 0 },
    services: [],
    steps: {},
    heard: {},
  };
}

function decide(
  state: WorkloadState,
  event: Exclude<WorkloadEvent, { type: 'landfall.workload.registered' }>,
): Applied {
  switch (event.type) {
    case 'landfall.workload.replanned':
    case 'landfall.workload.unregistered':
      return replan(state, event);
    case 'landfall.workload.phaseEntered':
      return enterOrHold(state, event.data);
    case 'landfall.workload.attentionRaised': {
      const { attentionId, step, failure, choices } = event.data;
      const attention = { attentionId, step, failure, choices, since: event.time };
      if (state.phase === Phase.attention) return { state: { ...state, attention } };
      const entered = enter(state, Phase.attention);
      return 'illegal' in entered ? entered : { state: { ...entered.state, attention } };
    }
    case 'landfall.workload.attentionAnswered': {
      if (state.attention?.attentionId !== event.data.attentionId || state.remembered === undefined)
        return { illegal: `no open question "${event.data.attentionId}"` };
      const entered = enter(state, state.remembered);
      return 'illegal' in entered ? entered : { state: { ...entered.state, attention: undefined } };
    }
    case 'landfall.workload.paused': {
      const entered = enter(state, Phase.paused);
      if ('illegal' in entered) return entered;
      return { state: { ...entered.state, paused: { ...event.data, since: event.time } } };
    }
    case 'landfall.workload.resumed':
      if (state.phase !== Phase.paused || state.remembered === undefined) return { illegal: 'it is not paused' };
      return enter(state, state.remembered);
    case 'landfall.workload.left':
      return { state: { ...state, left: event.data } };
    case 'landfall.step.started':
    case 'landfall.step.completed':
    case 'landfall.step.skipped':
    case 'landfall.step.failed':
    case 'landfall.step.undone':
    case 'landfall.step.undoFailed': {
      const { step } = event.data;
      const steps = { ...state.steps, [step]: stepAfter(state.steps[step], event) };
      // A step that begins or ends waits for nothing: what a process that was thought dead told of its calls is over.
      const byHand = event.type === 'landfall.step.undone' && event.data.byHand !== undefined;
      const told = byHand ? doubted(state.told, event.time) : state.told;
      const actions = event.type === 'landfall.step.undone' && step === 'postCutover' ? undefined : state.actions;
      return { state: { ...state, steps, told, actions, waiting: undefined } };
    }
    case 'landfall.effect.applied':
    case 'landfall.effect.failed':
    case 'landfall.effect.retried':
      return { state: { ...state, waiting: waitingAfter(state.waiting, event) } };
    case 'landfall.action.begun':
    case 'landfall.action.undone':
      return { state: { ...state, actions: actionsAfter(state.actions, event) } };
    case 'landfall.ttl.lowering':
    case 'landfall.ttl.lowered':
    case 'landfall.ttl.restored':
      return { state: { ...state, ttl: ttlAfter(state.ttl, event) } };
    case 'landfall.validation.judged':
      return { state: { ...state, validation: { ...event.data, at: event.time } } };
    case 'landfall.isolation.noted':
      return { state: { ...state, isolation: { ...state.isolation, noted: event.data.names } } };
    case 'landfall.isolation.judged': {
      // A look at clones of an earlier try comes late: it says nothing about those that are there now.
      if (event.data.when !== 'beforeBoot' && state.isolation?.proof?.of !== event.data.of) return { state };
      return { state: { ...state, isolation: { ...state.isolation, proof: { ...event.data, at: event.time } } } };
    }
    case 'landfall.machine.launched':
      return { state: { ...state, launched: event.data } };
    case 'landfall.byHand.asked':
    case 'landfall.byHand.confirmed':
    case 'landfall.byHand.seen':
      return { state: { ...state, told: toldAfter(state.told, event) } };
    case 'landfall.decommission.scheduled':
      return { state: { ...state, decommission: { ...state.decommission, dueAt: event.data.dueAt } } };
    case 'landfall.points.deleted': {
      const { dueAt = event.time } = state.decommission ?? {};
      return { state: { ...state, points: [], decommission: { dueAt, deletedAt: event.time, by: event.data.by } } };
    }
    case 'landfall.downtime.began':
      return { state: { ...state, downtime: { began: event.data.at } } };
    case 'landfall.downtime.ended':
      return { state: { ...state, downtime: state.downtime && { ...state.downtime, ended: event.data.at } } };
    case 'landfall.services.stopped':
    case 'landfall.services.started':
    case 'landfall.services.failed':
      return { state: { ...state, services: event.data.services } };
    case 'landfall.source.described':
      return { state: { ...state, services: event.data.services } };
    case 'landfall.sync.fellBehind':
      return { state: { ...state, behind: { ...event.data, since: event.time } } };
    case 'landfall.sync.queued':
    case 'landfall.sync.dispatched':
    case 'landfall.sync.stalled':
    case 'landfall.sync.withdrawn':
    case 'landfall.sync.paused':
    case 'landfall.sync.unpaused':
      return decideSync(state, event);
    case 'landfall.sync.started':
    case 'landfall.sync.progress':
    case 'landfall.sync.completed':
    case 'landfall.sync.failed':
      return { state: reportSync(state, event) };
    default:
      return { state };
  }
}

/** Another version of the wave has another plan for the workload, or none. Only newer versions count, and only while nothing is in hand. */
function replan(state: WorkloadState, { type, data }: Replanned): Applied {
  const { version } = data;
  if (version <= (state.planVersion ?? 1)) return { illegal: `version ${version} of the plan is not newer` };
  if (!idlePhases.has(state.phase)) return { illegal: `a workload that is ${state.phase} keeps its plan` };
  const next = { ...state, planVersion: version };
  if (type === 'landfall.workload.unregistered') return enter(next, Phase.unregistered);
  const { groupId, planHash } = data;
  const planned = { ...next, groupId, planHash };
  return state.phase === Phase.unregistered ? enter(planned, Phase.registered) : { state: planned };
}

/** Where somebody who has left its group may be: whoever works on is a member again. */
const apart: ReadonlySet<Phase> = new Set([Phase.rollingBack, Phase.replicating, Phase.withdrawn, Phase.attention]);

function enterOrHold(state: WorkloadState, { phase, reason, heldIn }: PhaseEntered['data']): Applied {
  const entered = enter(state, phase);
  if ('illegal' in entered) return entered;
  return { state: { ...entered.state, held: heldIn === undefined ? undefined : { reason, attempt: heldIn } } };
}

function enter(state: WorkloadState, phase: Phase): Applied {
  if (state.phase === phase) return { state };
  if (!mayMove(state.phase, phase, state.remembered))
    return { illegal: `a workload that is ${state.phase} cannot become ${phase}` };
  const waits = phase === Phase.attention || phase === Phase.paused;
  const remembered = waits ? (state.remembered ?? state.phase) : undefined;
  return {
    state: {
      ...state,
      phase,
      remembered,
      attention: phase === Phase.attention ? state.attention : undefined,
      paused: phase === Phase.paused ? state.paused : undefined,
      left: apart.has(phase) ? state.left : undefined,
    },
  };
}

type PhaseEntered = Extract<PlatformEvent, { type: 'landfall.workload.phaseEntered' }>;
type Replanned = Extract<PlatformEvent, { type: `landfall.workload.${'replanned' | 'unregistered'}` }>;
type SyncDecision = Exclude<
  Extract<PlatformEvent, { type: `landfall.sync.${string}` }>,
  { type: 'landfall.sync.fellBehind' }
>;

/** Single flight: at most one sync is queued or running, whatever its kind. */
function decideSync(state: WorkloadState, event: SyncDecision): Applied {
  const { sync } = state;
  const busy = sync.status === 'queued' || sync.status === 'running' || sync.status === 'stalled';
  const keep = { lastFailure: sync.lastFailure };
  switch (event.type) {
    case 'landfall.sync.queued': {
      if (busy) return { illegal: `sync ${sync.syncId} is in flight: one sync per workload at a time` };
      const { syncId, kind, syncOperationId, applianceId } = event.data;
      return {
        state: {
          ...state,
          sync: {
            ...keep,
            status: 'queued',
            syncId,
            kind,
            operationId: syncOperationId,
            applianceId,
            queuedAt: event.time,
            attempt: 0,
          },
        },
      };
    }
    case 'landfall.sync.paused':
      return busy
        ? { illegal: `sync ${sync.syncId} is in flight: withdraw it before pausing` }
        : { state: { ...state, sync: { ...keep, status: 'paused', attempt: 0 } } };
    case 'landfall.sync.unpaused':
      return { state: sync.status === 'paused' ? { ...state, sync: { ...keep, status: 'idle', attempt: 0 } } : state };
    default:
      if (!busy || sync.syncId !== event.data.syncId) return { illegal: `sync ${event.data.syncId} is not in flight` };
  }
  switch (event.type) {
    case 'landfall.sync.dispatched':
      return {
        state: {
          ...state,
          sync: {
            ...sync,
            status: 'running',
            attempt: event.data.attempt,
            dispatchedAt: event.time,
            heardAt: event.time,
          },
        },
      };
    case 'landfall.sync.stalled':
      return { state: { ...state, sync: { ...sync, status: 'stalled' } } };
    case 'landfall.sync.withdrawn':
      return { state: { ...state, sync: { ...keep, status: 'idle', attempt: 0 } } };
  }
}

type SyncReport = Extract<ReportedEvent, { type: `landfall.sync.${string}` }>;

function reportSync(state: WorkloadState, event: SyncReport): WorkloadState {
  const { sync } = state;
  if (
    sync.syncId !== event.data.syncId ||
    (sync.status !== 'running' && sync.status !== 'stalled' && sync.status !== 'queued')
  )
    return state;
  const heard: SyncRegion = {
    ...sync,
    status: 'running',
    heardAt: later(sync.heardAt, event.receivedAt ?? event.time),
  };
  switch (event.type) {
    case 'landfall.sync.started':
      return { ...state, sync: { ...heard, startedAt: sync.startedAt ?? event.time } };
    case 'landfall.sync.progress': {
      const { doneBytes, totalBytes, writtenBytes, bytesPerSecond } = event.data;
      return { ...state, sync: { ...heard, progress: { doneBytes, totalBytes, writtenBytes, bytesPerSecond } } };
    }
    case 'landfall.sync.failed': {
      const { syncId, code, message, suggestion } = event.data;
      return {
        ...state,
        sync: { status: 'idle', attempt: 0, lastFailure: { syncId, code, message, suggestion, at: event.time } },
      };
    }
    case 'landfall.sync.completed': {
      const { syncId, kind, startedAt, root, disks, consistency } = event.data;
      const point: Point = { syncId, kind, startedAt, completedAt: event.time, root, disks, consistency };
      const bytes = disks.reduce((sum, disk) => sum + disk.changedBytes, 0);
      const totals = {
        ...state.totals,
        [`${kind}Bytes`]: state.totals[`${kind}Bytes`] + bytes,
        deltas: state.totals.deltas + (kind === 'delta' ? 1 : 0),
      };
      return {
        ...state,
        sync: { status: 'idle', attempt: 0 },
        behind: undefined,
        points: [...state.points, point].slice(-pointsKept),
        syncRuns: withRun(state.syncRuns, state.points.at(-1), event.data, event.time),
        totals,
      };
    }
  }
}

function hear(state: WorkloadState, event: WorkloadEvent): WorkloadState['heard'] {
  if (event.sequence === undefined) return state.heard;
  const before = state.heard[event.source];
  const sequence = Math.max(before?.sequence ?? -1, event.sequence);
  const skipped = before === undefined ? 0 : event.sequence - before.sequence - 1;
  const missing = Math.max(0, (before?.missing ?? 0) + (skipped >= 0 ? skipped : -1));
  return { ...state.heard, [event.source]: { sequence, missing } };
}

function later(a: string | undefined, b: string): string {
  return a !== undefined && a > b ? a : b;
}
