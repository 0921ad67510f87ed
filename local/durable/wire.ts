// The JSON that crosses to durable-functions 3.5.0 and back. One episode is one invocation: all history in, all
// actions since the start of the execution out (lib/src/orchestrations/Orchestrator.js, OrchestratorState.js).
import { z } from 'zod';
import { type FailureDetails, plainFailure } from './failure.ts';
import { EventType, type HistoryEvent } from './history.ts';

export const ActionType = {
  callActivity: 0,
  callActivityWithRetry: 1,
  callSubOrchestrator: 2,
  callSubOrchestratorWithRetry: 3,
  continueAsNew: 4,
  createTimer: 5,
  waitForExternalEvent: 6,
  callEntity: 7,
  callHttp: 8,
  signalEntity: 9,
  whenAny: 11,
  whenAll: 12,
  lockEntities: 13,
  releaseEntities: 14,
} as const;

const RetryPolicy = z.object({
  firstRetryIntervalInMilliseconds: z.number(),
  maxNumberOfAttempts: z.number(),
  backoffCoefficient: z.number().optional(),
  maxRetryIntervalInMilliseconds: z.number().optional(),
  retryTimeoutInMilliseconds: z.number().optional(),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;

const ActionShape = z.object({
  actionType: z.number(),
  functionName: z.string().optional(),
  instanceId: z.string().nullish(),
  version: z.string().nullish(),
  input: z.unknown().optional(),
  retryOptions: RetryPolicy.optional(),
  fireAt: z.coerce.date().optional(),
  isCanceled: z.boolean().optional(),
  externalEventName: z.string().optional(),
});
export type Action = z.infer<typeof ActionShape>;

export interface Answer {
  isDone: boolean;
  /** Atomic actions since the start of the execution; read one with `readAction`. */
  actions: unknown[];
  output: unknown;
  customStatus: unknown;
  /** Set when the orchestrator failed. */
  error?: { message: string; details?: FailureDetails };
}

const State = z.object({
  isDone: z.boolean(),
  actions: z.array(z.array(z.unknown())),
  output: z.unknown().optional(),
  customStatus: z.unknown().optional(),
  error: z.string().optional(),
  failureDetails: z.custom<FailureDetails>((value) => typeof value === 'object' && value !== null).optional(),
});

// Schema V4 is the newest that 3.5.0 knows. The engine keeps timers of any length itself, so the SDK is told a limit
// that no timer exceeds (a thousand years, in milliseconds: numbers need no parsing) and never splits one.
const constants =
  '"upperSchemaVersion":3,"upperSchemaVersionNew":3,"maximumShortTimerDuration":31536000000000,' +
  '"longRunningTimerIntervalDuration":31536000000000,"defaultHttpAsyncRequestSleepTimeMillseconds":30000';

// What TaskOrchestrationExecutor reads of the events, and nothing else: the replay of a history costs what parsing it costs.
const readByTheSdk = new Set<number>([
  EventType.orchestratorStarted,
  EventType.executionStarted,
  EventType.taskCompleted,
  EventType.taskFailed,
  EventType.subOrchestrationCompleted,
  EventType.subOrchestrationFailed,
  EventType.timerFired,
  EventType.eventRaised,
]);

/** The events as an episode carries them: JSON texts separated by commas, empty when the SDK would read none. */
export function wireEvents(events: readonly HistoryEvent[]): string {
  const texts: string[] = [];
  for (const event of events) {
    const { EventType: type } = event;
    if (!readByTheSdk.has(type)) continue;
    if (type === EventType.orchestratorStarted) {
      texts.push(`{"EventType":${type},"Timestamp":"${event.Timestamp}"}`);
    } else if (type === EventType.executionStarted) {
      texts.push(JSON.stringify({ EventType: type, Version: event.Version }));
    } else {
      const { TaskScheduledId, TimerId, Name, Input, Result, Reason, Details, FailureDetails } = event;
      texts.push(
        JSON.stringify({
          ...{ EventType: type, IsPlayed: false, TaskScheduledId, TimerId, Name, Input, Result },
          ...(FailureDetails && { Reason, Details, FailureDetails }),
        }),
      );
    }
  }
  return texts.join(',');
}

/** The orchestration trigger's JSON; `events` come from `wireEvents`. */
export function episodeInput(episode: {
  instanceId: string;
  parentInstanceId: string | undefined;
  input: string | undefined;
  isReplaying: boolean;
  events: readonly string[];
}): string {
  return (
    `{"history":[${episode.events.filter(Boolean).join(',')}],"input":${episode.input ?? 'null'},` +
    `"instanceId":${JSON.stringify(episode.instanceId)},"isReplaying":${episode.isReplaying},` +
    `"parentInstanceId":${JSON.stringify(episode.parentInstanceId ?? '')},${constants}}`
  );
}

/** Reads what the orchestrator function returned. */
export function readAnswer(returned: unknown): Answer {
  const state = State.parse(returned);
  return {
    isDone: state.isDone,
    actions: flatten(state.actions.flat()),
    output: state.output,
    customStatus: state.customStatus,
    ...(state.error !== undefined && {
      error: { message: state.error, ...(state.failureDetails && { details: state.failureDetails }) },
    }),
  };
}

export const readAction = (action: unknown): Action => ActionShape.parse(action);

/** The answer of an orchestrator that could not even be asked, or whose answer is not believed. */
export const failedAnswer = (message: string, type = 'Error'): Answer => ({
  ...{ isDone: false, actions: [], output: undefined, customStatus: undefined },
  error: { message, details: plainFailure(type, message) },
});

const outOfProcLabel = '$OutOfProcData$:';

/** Reads what the orchestrator function threw: the SDK appends the state as JSON to the message. */
export function readFailure(thrown: unknown, name: string): Answer {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const at = message.indexOf(outOfProcLabel);
  if (at >= 0) {
    try {
      const answer = readAnswer(JSON.parse(message.slice(at + outOfProcLabel.length)));
      return {
        ...answer,
        error: answer.error ?? { message: `The orchestrator "${name}" threw a value without a message.` },
      };
    } catch {
      // Not the SDK's JSON after all: the message itself is the failure.
    }
  }
  return failedAnswer(message);
}

/**
 * All atomic actions, in the order in which the SDK numbered their tasks. A task that is yielded again inside a later
 * compound appears again as the same object and counts once.
 */
function flatten(actions: readonly unknown[]): unknown[] {
  const flat: unknown[] = [];
  const seen = new Set<unknown>();
  const visit = (some: readonly unknown[]): void => {
    for (const action of some) {
      const { size } = seen;
      if (seen.add(action).size === size) continue;
      const compound = compoundActions(action);
      if (compound) visit(compound);
      else flat.push(action);
    }
  };
  visit(actions);
  return flat;
}

function compoundActions(action: unknown): readonly unknown[] | undefined {
  if (typeof action !== 'object' || action === null || !('compoundActions' in action)) return undefined;
  return Array.isArray(action.compoundActions) ? action.compoundActions : undefined;
}

/** An activity's or a new execution's input as JSON text; the SDK has already quoted plain strings for these. */
export const quotedInput = (input: unknown): string =>
  typeof input === 'string' ? input : (JSON.stringify(input) ?? 'null');

export const jsonOf = (value: unknown): string => JSON.stringify(value) ?? 'null';
