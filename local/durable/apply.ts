// Stores what a turn has decided, in one write, and starts what that sets free: activities after the commit, messages to
// other instances with it.
import { type Decision, freshProgress } from './decide.ts';
import type { Engine } from './engine.ts';
import { plainFailure } from './failure.ts';
import * as history from './history.ts';
import { EventType, type HistoryEvent } from './history.ts';
import type { Instance } from './instances.ts';
import { isTerminal, type Message, type Task } from './rows.ts';
import { jsonOf, wireEvents } from './wire.ts';

/** Stores an episode's decision. */
export function commit(
  engine: Engine,
  instance: Instance,
  consumed: Message[],
  events: HistoryEvent[],
  decision: Decision,
  now: number,
): void {
  const tasks: Task[] = decision.activities.map((activity) => ({
    ...activity,
    instance: instance.id,
    execution: instance.execution,
  }));
  const written = engine.write(() => {
    const before = instance.status;
    removeMessages(engine, instance, consumed);
    instance.status = 'Running';
    instance.updated = now;
    instance.customStatus = decision.customStatus ?? instance.customStatus;
    instance.progress = decision.progress;
    for (const task of tasks) engine.store.addTask(task);
    for (const child of decision.children) events.push(startChild(engine, instance, child, now));
    if (decision.end?.kind === 'continuedAsNew') return continueAsNew(engine, instance, decision.end, events, now);
    if (decision.end) end(engine, instance, decision.end, events, now);
    else
      for (const timer of decision.timers)
        engine.store.addTimer({ ...timer, instance: instance.id, execution: instance.execution });
    for (const id of decision.cancelled) engine.store.removeTimer(instance.id, instance.execution, id);
    appendHistory(engine, instance, [...events, ...decision.events]);
    engine.store.updateInstance(instance, before);
  });
  for (const timer of decision.timers) engine.alarm.by(timer.fireAt);
  const hasEnded = isTerminal(instance.status);
  if (hasEnded) engine.instances.forget(instance.id);
  written.then(
    () => {
      for (const task of tasks) engine.activities.add(task);
      if (hasEnded) engine.announceEnd({ ...instance });
    },
    () => {},
  );
}

/** Takes messages out of memory and store. Must be called inside a write. */
export function removeMessages(engine: Engine, instance: Instance, messages: Message[]): void {
  if (messages.length === 0) return;
  const removed = new Set(messages);
  instance.inbox = instance.inbox.filter((message) => !removed.has(message));
  for (const message of messages) engine.store.removeMessage(message.seq);
}

/** Adds events to memory and store. Must be called inside a write. */
export function appendHistory(engine: Engine, instance: Instance, events: HistoryEvent[]): void {
  engine.store.appendHistory(instance.id, instance.rows++, events.map((event) => JSON.stringify(event)).join(','));
  instance.history.push(wireEvents(events));
}

function startChild(engine: Engine, parent: Instance, child: Decision['children'][number], now: number): HistoryEvent {
  const id = child.instanceId ?? `${parent.execution}:${child.id.toString(16).padStart(4, '0')}`;
  const existing = engine.store.instance(id);
  const refusal = !engine.options.has('orchestration', child.name)
    ? `The orchestrator function "${child.name}" does not exist.`
    : existing && !isTerminal(existing.status)
      ? `An orchestration with the instance id "${id}" is already running.`
      : undefined;
  if (refusal) {
    const failed = history.subOrchestrationFailed(
      now,
      child.id,
      refusal,
      plainFailure('SubOrchestrationRefused', refusal),
    );
    engine.deliver(parent.id, parent.execution, failed);
  } else {
    createInstance(
      engine,
      { ...child, id, parent: { id: parent.id, execution: parent.execution, task: child.id } },
      now,
    );
  }
  return history.subOrchestrationCreated(now, child.id, child.name, id);
}

/** Stores a new instance and its first message; replaces an ended one of the same id. Must be called inside a write. */
export function createInstance(
  engine: Engine,
  start: {
    id: string;
    name: string;
    input: string | undefined;
    version: string | undefined;
    parent?: Instance['parent'];
  },
  now: number,
): void {
  const { id, name, input, parent } = start;
  const version = start.version ?? engine.options.versions?.default;
  engine.store.clearExecution(id);
  engine.store.removeMessages(id);
  engine.instances.forget(id);
  const execution = engine.newId();
  engine.store.putInstance({
    ...{ id, name, version, input, execution, parent, status: 'Pending', created: now, updated: now },
    ...{ output: undefined, customStatus: undefined, progress: freshProgress() },
  });
  engine.deliver(id, execution, history.executionStarted(now, name, input, version));
}

/** Removes instances with all that belongs to them. */
export async function purge(engine: Engine, ids: readonly string[]): Promise<void> {
  await engine.write(() => {
    for (const id of ids) {
      engine.instances.forget(id);
      engine.store.purge(id);
    }
  });
}

function end(
  engine: Engine,
  instance: Instance,
  how: Exclude<NonNullable<Decision['end']>, { kind: 'continuedAsNew' }>,
  events: HistoryEvent[],
  now: number,
): void {
  const isFailed = how.kind === 'failed';
  const reason = isFailed ? `Orchestrator function '${instance.name}' failed: ${how.message}` : '';
  instance.status = isFailed ? 'Failed' : 'Completed';
  instance.output = isFailed ? jsonOf(reason) : how.output;
  events.push(isFailed ? history.executionFailed(now, reason) : history.executionCompleted(now, how.output));
  engine.store.removeTimers(instance.id);
  const { parent } = instance;
  if (!parent) return;
  const told = isFailed
    ? history.subOrchestrationFailed(now, parent.task, reason, how.details)
    : history.subOrchestrationCompleted(now, parent.task, how.output);
  engine.deliver(parent.id, parent.execution, told);
}

/** Ends an instance from outside, whatever it was doing. */
export function terminate(engine: Engine, instance: Instance, event: HistoryEvent): boolean {
  const now = engine.clock.now();
  const reason = event.Reason ?? '';
  const written = engine.write(() => {
    removeMessages(engine, instance, instance.inbox);
    const before = instance.status;
    instance.status = 'Terminated';
    instance.output = jsonOf(reason);
    instance.updated = now;
    appendHistory(engine, instance, [event]);
    engine.store.removeTimers(instance.id);
    engine.store.updateInstance(instance, before);
    if (!instance.parent) return;
    const told = `The sub-orchestration was terminated: ${reason}`;
    const failed = history.subOrchestrationFailed(now, instance.parent.task, told, plainFailure('Terminated', told));
    engine.deliver(instance.parent.id, instance.parent.execution, failed);
  });
  engine.instances.forget(instance.id);
  written.then(
    () => engine.announceEnd({ ...instance }),
    () => {},
  );
  return false;
}

function continueAsNew(
  engine: Engine,
  instance: Instance,
  how: Extract<NonNullable<Decision['end']>, { kind: 'continuedAsNew' }>,
  events: HistoryEvent[],
  now: number,
): void {
  const past = JSON.parse(`[${engine.store.history(instance.id).join(',')}]`) as HistoryEvent[];
  const unread = [...past, ...events].filter((event) => {
    if (event.EventType !== EventType.eventRaised) return false;
    const waits = how.waits.get(event.Name ?? '') ?? 0;
    if (waits > 0) how.waits.set(event.Name ?? '', waits - 1);
    return waits === 0;
  });
  // What is still in the inbox was raised later, so it goes behind what this execution has left unread.
  const later = [...instance.inbox];
  removeMessages(engine, instance, later);
  engine.store.clearExecution(instance.id);
  instance.history = [];
  instance.rows = 0;
  instance.execution = engine.newId();
  instance.input = how.input;
  instance.progress = freshProgress();
  instance.acted = undefined;
  engine.store.putInstance(instance);
  engine.deliver(
    instance.id,
    instance.execution,
    history.executionStarted(now, instance.name, how.input, instance.version),
  );
  for (const event of unread) engine.deliver(instance.id, undefined, event);
  for (const { execution, event } of later) {
    if (execution === undefined) engine.deliver(instance.id, undefined, event);
  }
}
