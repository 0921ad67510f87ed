// Retries of activities and sub-orchestrations: the host waits and tries again, the SDK only counts
// (lib/src/task/RetryableTask.js of durable-functions 3.5.0). Every failed attempt takes two more numbers, one for the
// delay and one for the next attempt, at the moment the failure is replayed and before the orchestrator's own code goes
// on. Such an event may therefore only be the first of its episode: then the order of numbers is known without looking
// into the SDK.
import type { OpenTask, Progress } from './decide.ts';
import { completedTask, EventType, type HistoryEvent, timerFired } from './history.ts';
import type { Action } from './wire.ts';

/** What is known of a task's retry policy; times in milliseconds. */
export interface Retry {
  attempts: number;
  first: number;
  factor: number;
  longest?: number;
  /** No attempt starts after this moment (epoch milliseconds). */
  until?: number;
}

export function retryOf({ retryOptions }: Action, now: number): { retry?: Retry } {
  if (!retryOptions) return {};
  const { maxRetryIntervalInMilliseconds: longest, retryTimeoutInMilliseconds: timeout } = retryOptions;
  return {
    retry: {
      attempts: retryOptions.maxNumberOfAttempts,
      first: retryOptions.firstRetryIntervalInMilliseconds,
      factor: retryOptions.backoffCoefficient ?? 1,
      ...(longest !== undefined && { longest }),
      ...(timeout !== undefined && { until: now + timeout }),
    },
  };
}

export const retryDelay = ({ first, factor, longest }: Retry, attempt: number): number =>
  Math.min(first * factor ** (attempt - 1), longest ?? Number.POSITIVE_INFINITY);

export const isFailure = (event: HistoryEvent): boolean =>
  event.EventType === EventType.taskFailed || event.EventType === EventType.subOrchestrationFailed;

/**
 * The completions of all attempts and delays that a task gives up because its time is over. The SDK does not know the
 * timeout: only when it has counted to the last attempt does it throw. Empty while there is time.
 */
export function giveUp(task: OpenTask, failure: HistoryEvent, nextId: number, now: number): HistoryEvent[] {
  const { retry } = task;
  if (retry?.until === undefined || now < retry.until || task.attempt >= retry.attempts) return [];
  const events: HistoryEvent[] = [];
  for (let attempt = task.attempt; ; attempt++) {
    events.push(timerFired(now, nextId + events.length, now));
    if (attempt >= retry.attempts) return events;
    events.push({ ...failure, TaskScheduledId: nextId + events.length });
  }
}

function taskOf(progress: Progress, event: HistoryEvent): OpenTask | undefined {
  const id = completedTask(event);
  return id === undefined ? undefined : progress.open[id];
}

function takesNumbers(progress: Progress, event: HistoryEvent): boolean {
  const task = taskOf(progress, event);
  return task !== undefined && (task.kind === 'retryDelay' || (task.retry !== undefined && isFailure(event)));
}

/** What one episode may replay of the waiting events: how many of them, and what follows the first of them at once. */
export function takeBatch(
  progress: Progress,
  events: readonly HistoryEvent[],
  now: number,
): { length: number; unmade: HistoryEvent[] } {
  const stop = events.findIndex((event, index) => index > 0 && takesNumbers(progress, event));
  const [first] = events;
  const task = first && taskOf(progress, first);
  const unmade = task && first && isFailure(first) ? giveUp(task, first, progress.nextId, now) : [];
  return { length: stop < 0 ? events.length : stop, unmade };
}
