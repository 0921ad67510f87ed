// What others may see of an instance, and how instances are found. Field names are those of the Durable HTTP API
// (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api).
import { completedTask, EventType, scheduledTask, type HistoryEvent } from './history.ts';
import type { InstanceRow, RuntimeStatus } from './rows.ts';
import type { Store } from './store.ts';

export interface StatusOptions {
  showInput?: boolean;
  showHistory?: boolean;
  showHistoryOutput?: boolean;
}

export interface InstanceStatus {
  name: string;
  instanceId: string;
  runtimeStatus: RuntimeStatus;
  input: unknown;
  customStatus: unknown;
  output: unknown;
  createdTime: string;
  lastUpdatedTime: string;
  historyEvents?: Record<string, unknown>[];
  /** The same list under the name that `DurableOrchestrationStatus` of durable-functions 3.5.0 reads. */
  history?: Record<string, unknown>[];
}

export interface InstanceFilter extends StatusOptions {
  runtimeStatus?: string[];
  createdTimeFrom?: number;
  createdTimeTo?: number;
  instanceIdPrefix?: string;
  top?: number;
  continuationToken?: string;
}

const parse = (json: string | undefined): unknown => (json === undefined ? null : JSON.parse(json));

export function statusOf(instance: InstanceRow, options: StatusOptions, readHistory: () => string[]): InstanceStatus {
  const events = options.showHistory
    ? presentHistory(JSON.parse(`[${readHistory().join(',')}]`) as HistoryEvent[], options.showHistoryOutput ?? false)
    : undefined;
  return {
    name: instance.name,
    instanceId: instance.id,
    runtimeStatus: instance.status,
    input: options.showInput === false ? null : parse(instance.input),
    customStatus: parse(instance.customStatus),
    output: parse(instance.output),
    createdTime: new Date(instance.created).toISOString(),
    lastUpdatedTime: new Date(instance.updated).toISOString(),
    ...(events && { historyEvents: events, history: events }),
  };
}

const eventNames = new Map<number, string>([
  [EventType.executionStarted, 'ExecutionStarted'],
  [EventType.executionCompleted, 'ExecutionCompleted'],
  [EventType.executionFailed, 'ExecutionFailed'],
  [EventType.executionTerminated, 'ExecutionTerminated'],
  [EventType.taskScheduled, 'TaskScheduled'],
  [EventType.taskCompleted, 'TaskCompleted'],
  [EventType.taskFailed, 'TaskFailed'],
  [EventType.subOrchestrationCreated, 'SubOrchestrationInstanceCreated'],
  [EventType.subOrchestrationCompleted, 'SubOrchestrationInstanceCompleted'],
  [EventType.subOrchestrationFailed, 'SubOrchestrationInstanceFailed'],
  [EventType.timerCreated, 'TimerCreated'],
  [EventType.timerFired, 'TimerFired'],
  [EventType.eventRaised, 'EventRaised'],
  [EventType.suspended, 'ExecutionSuspended'],
  [EventType.resumed, 'ExecutionResumed'],
]);

/** As the HTTP API shows a history: a completion names its function and when it was scheduled, results on request. */
function presentHistory(events: HistoryEvent[], showOutput: boolean): Record<string, unknown>[] {
  const scheduled = new Map<number, HistoryEvent>();
  for (const event of events) {
    const id = scheduledTask(event);
    if (id !== undefined) scheduled.set(id, event);
  }
  const finished = new Set(events.map(completedTask));
  const shown: Record<string, unknown>[] = [];
  for (const event of events) {
    const name = eventNames.get(event.EventType);
    const id = scheduledTask(event);
    if (name === undefined || (id !== undefined && finished.has(id))) continue;
    const completed = completedTask(event);
    const origin = completed === undefined ? undefined : scheduled.get(completed);
    // Nothing was scheduled: the end of an attempt that a retry timeout left unmade.
    if (completed !== undefined && !origin) continue;
    shown.push({
      EventType: name,
      Timestamp: event.Timestamp,
      ...(event.Name !== undefined && {
        [event.EventType === EventType.eventRaised ? 'Name' : 'FunctionName']: event.Name,
      }),
      ...(origin && { ScheduledTime: origin.Timestamp }),
      ...(origin?.Name !== undefined && { FunctionName: origin.Name }),
      ...(event.FireAt !== undefined && { FireAt: event.FireAt }),
      ...(event.Reason !== undefined && { Reason: event.Reason }),
      ...(showOutput && event.Result !== undefined && { Result: parse(event.Result) }),
      ...(showOutput && event.Input !== undefined && { Input: parse(event.Input) }),
    });
  }
  return shown;
}

/** One page of matching instances, oldest first. */
export function queryInstances(
  store: Store,
  filter: InstanceFilter,
): { instances: InstanceStatus[]; continuationToken: string | undefined } {
  const conditions: string[] = ['1'];
  const values: (string | number)[] = [];
  const where = (sql: string, ...parameters: (string | number)[]) => {
    conditions.push(sql);
    values.push(...parameters);
  };
  const { runtimeStatus, instanceIdPrefix: prefix } = filter;
  if (runtimeStatus?.length) where(`status IN (${runtimeStatus.map(() => '?').join(', ')})`, ...runtimeStatus);
  if (filter.createdTimeFrom !== undefined) where('created >= ?', filter.createdTimeFrom);
  if (filter.createdTimeTo !== undefined) where('created <= ?', filter.createdTimeTo);
  if (prefix) where('substr(id, 1, ?) = ?', [...prefix].length, prefix);
  if (filter.continuationToken) {
    const [created = 0, id = ''] = JSON.parse(Buffer.from(filter.continuationToken, 'base64url').toString()) as [
      number,
      string,
    ];
    where('(created, id) > (?, ?)', created, id);
  }
  const top = Math.min(Math.max(filter.top ?? 100, 1), 1000);
  const rows = store.select(`${conditions.join(' AND ')} ORDER BY created, id LIMIT ${top + 1}`, values);
  const page = rows.slice(0, top);
  const last = rows.length > top ? page.at(-1) : undefined;
  return {
    instances: page.map((row) => statusOf(row, filter, () => store.history(row.id))),
    continuationToken: last && Buffer.from(JSON.stringify([last.created, last.id])).toString('base64url'),
  };
}
