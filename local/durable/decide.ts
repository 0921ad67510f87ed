// What an episode's answer means for the instance. Pure.
//
// A completion is matched by the SDK to the number it gave a task when it was first yielded: one number per activity,
// sub-orchestration and timer, none per external-event wait, and more for failed attempts under a retry policy
// (retries.ts).
import { type FailureDetails, plainFailure } from './failure.ts';
import * as history from './history.ts';
import { completedTask, type HistoryEvent } from './history.ts';
import { giveUp, isFailure, type Retry, retryDelay, retryOf } from './retries.ts';
import { type Action, ActionType, type Answer, jsonOf, quotedInput, readAction } from './wire.ts';

/** A task that has a number and no completion yet. `at` is the place of its action among all actions. */
export interface OpenTask {
  kind: 'activity' | 'child' | 'timer' | 'retryDelay';
  at: number;
  attempt: number;
  /** The function's name, to notice an orchestrator that does not repeat itself. */
  name?: string;
  retry?: Retry;
}

/** What the engine must remember of one execution between episodes. */
export interface Progress {
  nextId: number;
  counted: number;
  open: Record<string, OpenTask>;
}

export const freshProgress = (): Progress => ({ nextId: 0, counted: 0, open: {} });

export interface Decision {
  progress: Progress;
  events: HistoryEvent[];
  activities: { id: number; name: string; input: string }[];
  children: { id: number; name: string; instanceId: string | undefined; input: string; version: string | undefined }[];
  timers: { id: number; fireAt: number }[];
  cancelled: number[];
  customStatus: string | undefined;
  end: End | undefined;
}

export type End =
  | { kind: 'completed'; output: string }
  | { kind: 'failed'; message: string; details: FailureDetails }
  | { kind: 'continuedAsNew'; input: string; waits: Map<string, number> };

/** Turns the SDK's answer to `batch` into everything that has to be stored and started. */
export function decide(before: Progress, batch: readonly HistoryEvent[], answer: Answer, now: number): Decision {
  const decision: Decision = {
    progress: { nextId: before.nextId, counted: before.counted, open: { ...before.open } },
    events: [],
    activities: [],
    children: [],
    timers: [],
    cancelled: [],
    customStatus: answer.customStatus === undefined ? undefined : jsonOf(answer.customStatus),
    end: undefined,
  };
  if (answer.error) {
    const { message, details } = answer.error;
    decision.end = { kind: 'failed', message, details: details ?? plainFailure('Error', message) };
    return decision;
  }
  const difference = findDifference(before, answer);
  if (difference) {
    decision.end = {
      kind: 'failed',
      message: difference,
      details: plainFailure('NonDeterministicOrchestration', difference),
    };
    return decision;
  }
  settle(decision, batch, answer, now);
  const failure = scheduleNew(decision, answer, now);
  if (failure) decision.end = { kind: 'failed', message: failure, details: plainFailure('NotSupported', failure) };
  else if (answer.isDone) decision.end = endOf(answer);
  else cancelTimers(decision, answer);
  return decision;
}

/** What a replay did differently from the episodes before it: a clock, chance, or changed code in the orchestrator. */
function findDifference(before: Progress, answer: Answer): string | undefined {
  const hint = 'An orchestrator must do the same at every replay; was its code changed while the instance ran?';
  if (answer.actions.length < before.counted) {
    return `Non-deterministic orchestration: it scheduled ${before.counted} tasks before and ${answer.actions.length} now. ${hint}`;
  }
  for (const [id, { at, name }] of Object.entries(before.open)) {
    const now = readAction(answer.actions[at]).functionName;
    if (name !== now)
      return `Non-deterministic orchestration: task ${id} was "${name ?? 'a timer'}" and is now "${now ?? 'a timer'}". ${hint}`;
  }
  return undefined;
}

function settle(decision: Decision, batch: readonly HistoryEvent[], answer: Answer, now: number): void {
  const { progress } = decision;
  for (const event of batch) {
    const id = completedTask(event);
    const task = id === undefined ? undefined : progress.open[id];
    if (id === undefined || !task) continue;
    delete progress.open[id];
    if (answer.isDone || !task.retry) continue;
    if (task.kind === 'retryDelay') {
      // The delay after the last attempt only lets the SDK throw; no attempt follows.
      if (task.attempt < task.retry.attempts)
        start(decision, readAction(answer.actions[task.at]), { ...task, attempt: task.attempt + 1 }, now);
    } else if (isFailure(event)) {
      const unmade = giveUp(task, event, progress.nextId, now);
      if (unmade.length > 0) progress.nextId += unmade.length;
      else startTimer(decision, { ...task, kind: 'retryDelay' }, now + retryDelay(task.retry, task.attempt), now);
    }
  }
}

function scheduleNew(decision: Decision, answer: Answer, now: number): string | undefined {
  const { progress } = decision;
  for (; progress.counted < answer.actions.length; progress.counted++) {
    const action = readAction(answer.actions[progress.counted]);
    const task = { at: progress.counted, attempt: 1 };
    switch (action.actionType) {
      case ActionType.waitForExternalEvent:
      case ActionType.continueAsNew:
        break;
      case ActionType.createTimer:
        if (action.fireAt) startTimer(decision, { ...task, kind: 'timer' }, action.fireAt.getTime(), now);
        break;
      case ActionType.callActivity:
      case ActionType.callSubOrchestrator:
        start(decision, action, { ...task, kind: 'activity' }, now);
        break;
      case ActionType.callActivityWithRetry:
      case ActionType.callSubOrchestratorWithRetry:
        start(decision, action, { ...task, kind: 'activity', ...retryOf(action, now) }, now);
        break;
      default:
        return unsupported(unsupportedNames.get(action.actionType) ?? `action type ${action.actionType}`);
    }
  }
  return undefined;
}

const unsupportedNames = new Map<number, string>([
  [ActionType.callEntity, 'callEntity'],
  [ActionType.signalEntity, 'signalEntity'],
  [ActionType.lockEntities, 'lock'],
  [ActionType.releaseEntities, 'release'],
  [ActionType.callHttp, 'callHttp'],
]);

const unsupported = (what: string) => `This Durable engine does not support ${what}; entities and callHttp need Azure.`;

function start(decision: Decision, action: Action, task: OpenTask, now: number): void {
  const id = decision.progress.nextId++;
  const name = action.functionName ?? '';
  const isChild =
    action.actionType === ActionType.callSubOrchestrator ||
    action.actionType === ActionType.callSubOrchestratorWithRetry;
  decision.progress.open[id] = { ...task, name, kind: isChild ? 'child' : 'activity' };
  if (!isChild) {
    decision.activities.push({ id, name, input: quotedInput(action.input) });
    decision.events.push(history.taskScheduled(now, id, name));
    return;
  }
  const instanceId = action.instanceId || undefined;
  decision.children.push({ id, name, instanceId, input: jsonOf(action.input), version: action.version ?? undefined });
}

function startTimer(decision: Decision, task: OpenTask, fireAt: number, now: number): void {
  const id = decision.progress.nextId++;
  decision.progress.open[id] = task;
  decision.timers.push({ id, fireAt });
  decision.events.push(history.timerCreated(now, id, fireAt));
}

function cancelTimers(decision: Decision, answer: Answer): void {
  for (const [id, task] of Object.entries(decision.progress.open)) {
    if (task.kind !== 'timer' || !readAction(answer.actions[task.at]).isCanceled) continue;
    delete decision.progress.open[id];
    decision.cancelled.push(Number(id));
    decision.timers = decision.timers.filter((timer) => timer.id !== Number(id));
  }
}

function endOf(answer: Answer): End {
  const last = answer.actions.length > 0 ? readAction(answer.actions.at(-1)) : undefined;
  if (last?.actionType !== ActionType.continueAsNew) return { kind: 'completed', output: jsonOf(answer.output) };
  const waits = new Map<string, number>();
  for (const raw of answer.actions) {
    const { actionType, externalEventName: name } = readAction(raw);
    if (actionType === ActionType.waitForExternalEvent && name !== undefined)
      waits.set(name, (waits.get(name) ?? 0) + 1);
  }
  return { kind: 'continuedAsNew', input: quotedInput(last.input), waits };
}
