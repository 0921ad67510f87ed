// History events in the shape that `durable-functions` 3.5.0 replays (lib/src/history and
// orchestrations/TaskOrchestrationExecutor), but for what is the same in all of them: `IsPlayed` is added on the way there,
// where it stays false for ever, because the SDK tells replayed events by their place before the last OrchestratorStarted.
import type { FailureDetails } from './failure.ts';

export const EventType = {
  executionStarted: 0,
  executionCompleted: 1,
  executionFailed: 2,
  executionTerminated: 3,
  taskScheduled: 4,
  taskCompleted: 5,
  taskFailed: 6,
  subOrchestrationCreated: 7,
  subOrchestrationCompleted: 8,
  subOrchestrationFailed: 9,
  timerCreated: 10,
  timerFired: 11,
  orchestratorStarted: 12,
  eventRaised: 15,
  suspended: 19,
  resumed: 20,
} as const;

export interface HistoryEvent {
  EventType: number;
  /** The number of the task that the event schedules. */
  EventId?: number;
  Timestamp: string;
  Name?: string;
  Input?: string;
  Result?: string;
  Reason?: string;
  Details?: string;
  FailureDetails?: FailureDetails;
  TaskScheduledId?: number;
  TimerId?: number;
  FireAt?: string;
  InstanceId?: string;
  Version?: string;
}

/** The id of the task that an event completes, or undefined for events that complete none. */
export const completedTask = (event: HistoryEvent): number | undefined => event.TaskScheduledId ?? event.TimerId;

/** The id of the task that an event schedules, or undefined for events that schedule none. Older databases say -1 for none. */
export const scheduledTask = ({ EventId: id }: HistoryEvent): number | undefined =>
  id === undefined || id < 0 ? undefined : id;

// Many events share their millisecond.
let lastTime = { now: Number.NaN, text: '' };

function timestamp(now: number): string {
  if (now !== lastTime.now) lastTime = { now, text: new Date(now).toISOString() };
  return lastTime.text;
}

const event = (type: number, now: number, rest: Partial<HistoryEvent>): HistoryEvent => ({
  EventType: type,
  Timestamp: timestamp(now),
  ...rest,
});

export const orchestratorStarted = (now: number) => event(EventType.orchestratorStarted, now, {});

export const executionStarted = (now: number, name: string, input: string | undefined, version: string | undefined) =>
  event(EventType.executionStarted, now, {
    Name: name,
    ...(input !== undefined && { Input: input }),
    ...(version !== undefined && { Version: version }),
  });

export const executionCompleted = (now: number, result: string) =>
  event(EventType.executionCompleted, now, { Result: result });

export const executionFailed = (now: number, reason: string) =>
  event(EventType.executionFailed, now, { Reason: reason });

export const executionTerminated = (now: number, reason: string) =>
  event(EventType.executionTerminated, now, { Reason: reason });

export const taskScheduled = (now: number, id: number, name: string) =>
  event(EventType.taskScheduled, now, { EventId: id, Name: name });

export const taskCompleted = (now: number, id: number, result: string) =>
  event(EventType.taskCompleted, now, { TaskScheduledId: id, Result: result });

export const taskFailed = (now: number, id: number, reason: string, failure: FailureDetails) =>
  event(EventType.taskFailed, now, failureFields(id, reason, failure));

export const subOrchestrationCreated = (now: number, id: number, name: string, instanceId: string) =>
  event(EventType.subOrchestrationCreated, now, { EventId: id, Name: name, InstanceId: instanceId });

export const subOrchestrationCompleted = (now: number, id: number, result: string) =>
  event(EventType.subOrchestrationCompleted, now, { TaskScheduledId: id, Result: result });

export const subOrchestrationFailed = (now: number, id: number, reason: string, failure: FailureDetails) =>
  event(EventType.subOrchestrationFailed, now, failureFields(id, reason, failure));

export const timerCreated = (now: number, id: number, fireAt: number) =>
  event(EventType.timerCreated, now, { EventId: id, FireAt: new Date(fireAt).toISOString() });

export const timerFired = (now: number, id: number, fireAt: number) =>
  event(EventType.timerFired, now, { TimerId: id, FireAt: new Date(fireAt).toISOString() });

export const eventRaised = (now: number, name: string, input: string) =>
  event(EventType.eventRaised, now, { Name: name, Input: input });

export const suspended = (now: number, reason: string) => event(EventType.suspended, now, { Reason: reason });
export const resumed = (now: number, reason: string) => event(EventType.resumed, now, { Reason: reason });

const failureFields = (id: number, reason: string, failure: FailureDetails): Partial<HistoryEvent> => ({
  TaskScheduledId: id,
  Reason: reason,
  Details: failure.StackTrace ?? failure.ErrorMessage,
  FailureDetails: failure,
});
