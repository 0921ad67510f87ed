// One turn of one instance: take messages from its inbox, replay the orchestrator, store the decision.
import { batchLength, completedTask, decide, freshProgress, type Decision } from './decide.ts';
import type { Engine } from './engine.ts';
import { plainFailure } from './failure.ts';
import * as history from './history.ts';
import { EventType, type HistoryEvent } from './history.ts';
import type { Instance } from './instances.ts';
import { isTerminal, type Message, type Task } from './store.ts';
import { episodeInput, jsonOf, readAnswer, readFailure, type Answer } from './wire.ts';

interface Taken {
  /** Messages to delete without replaying them: stale ones and control messages. */
  settled: Message[];
  controls: HistoryEvent[];
  terminated: HistoryEvent | undefined;
  isSuspended: boolean;
  pending: Message[];
}

/** Runs one turn; false when there was nothing that could be done. */
export async function takeTurn(engine: Engine, instance: Instance): Promise<boolean> {
  const taken = sort(instance);
  if (taken.terminated) return terminate(engine, instance, taken.terminated);
  if (taken.isSuspended || taken.pending.length === 0) return settleOnly(engine, instance, taken);
  const now = engine.clock.now();
  const pendingEvents = taken.pending.map((message) => message.event);
  let batch = pendingEvents.slice(0, batchLength(instance.progress, pendingEvents));
  const opening = [...taken.controls, history.orchestratorStarted(now)];
  let answer = await replay(engine, instance, [...opening, ...batch]);
  // The SDK stops reading at continue-as-new. Only what it has read may be taken from the inbox, and the answer does
  // not say how much that was; replaying shorter batches does, and has no effects.
  for (let length = 1; isContinueAsNew(answer) && length < batch.length; length++) {
    const shorter = batch.slice(0, length);
    const earlier = await replay(engine, instance, [...opening, ...shorter]);
    if (earlier.isDone) [answer, batch] = [earlier, shorter];
  }
  const decision = decideSafely(instance, batch, answer, now);
  const consumed = [...taken.settled, ...taken.pending.slice(0, batch.length)];
  commit(engine, instance, consumed, [...opening, ...batch], decision, now);
  return true;
}

/** An answer that cannot be understood fails its instance, rather than leaving it asleep for ever. */
function decideSafely(instance: Instance, batch: HistoryEvent[], answer: Answer, now: number): Decision {
  try {
    return decide(instance.progress, batch, answer, now);
  } catch (error) {
    const message = `The orchestrator's answer cannot be understood: ${String(error)}`;
    return decide(instance.progress, batch, { ...answer, error: { message } }, now);
  }
}

const isContinueAsNew = (answer: Answer): boolean =>
  answer.isDone && !answer.error && decide(freshProgress(), [], answer, 0).end?.kind === 'continuedAsNew';

function sort(instance: Instance): Taken {
  const taken: Taken = {
    settled: [],
    controls: [],
    terminated: undefined,
    isSuspended: instance.status === 'Suspended',
    pending: [],
  };
  const seen = new Set<number>();
  for (const message of instance.inbox) {
    const { event, execution } = message;
    const id = completedTask(event);
    const isStale =
      isTerminal(instance.status) ||
      (execution !== undefined && execution !== instance.execution) ||
      (id !== undefined && (!(id in instance.progress.open) || seen.has(id)));
    if (id !== undefined) seen.add(id);
    if (isStale) taken.settled.push(message);
    else if (event.EventType === EventType.executionTerminated) taken.terminated ??= event;
    else if (event.EventType === EventType.suspended || event.EventType === EventType.resumed) {
      taken.isSuspended = event.EventType === EventType.suspended;
      taken.controls.push(event);
      taken.settled.push(message);
    } else taken.pending.push(message);
  }
  return taken;
}

function settleOnly(engine: Engine, instance: Instance, taken: Taken): boolean {
  if (taken.settled.length === 0) return false;
  void engine
    .write(() => {
      removeMessages(engine, instance, taken.settled);
      if (taken.controls.length === 0) return;
      appendHistory(engine, instance, taken.controls);
      instance.status = taken.isSuspended ? 'Suspended' : 'Running';
      instance.updated = engine.clock.now();
      engine.store.updateInstance(instance);
    })
    .catch(() => {});
  return false;
}

async function replay(engine: Engine, instance: Instance, fresh: HistoryEvent[]): Promise<Answer> {
  const json = episodeInput({
    instanceId: instance.id,
    parentInstanceId: instance.parent?.id,
    input: instance.input,
    isReplaying: instance.history.length > 0,
    events: [...instance.history, ...fresh.map((event) => JSON.stringify(event))],
  });
  const { name } = instance;
  try {
    if (!engine.options.has('orchestration', name))
      throw new Error(`The orchestrator function "${name}" does not exist.`);
    return readAnswer(await engine.options.invoke({ kind: 'orchestration', name, json, instanceId: instance.id }));
  } catch (thrown) {
    return readFailure(thrown, name);
  }
}

function commit(
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
    engine.store.updateInstance(instance);
  });
  for (const timer of decision.timers) engine.alarm.by(timer.fireAt);
  const hasEnded = isTerminal(instance.status);
  written.then(
    () => {
      for (const task of tasks) engine.activities.add(task);
      if (hasEnded) engine.announceEnd({ ...instance });
    },
    () => {},
  );
}

function removeMessages(engine: Engine, instance: Instance, messages: Message[]): void {
  if (messages.length === 0) return;
  const removed = new Set(messages);
  instance.inbox = instance.inbox.filter((message) => !removed.has(message));
  for (const message of messages) engine.store.removeMessage(message.seq);
}

function appendHistory(engine: Engine, instance: Instance, events: HistoryEvent[]): void {
  const text = events.map((event) => JSON.stringify(event)).join(',');
  engine.store.appendHistory(instance.id, instance.history.length, text);
  instance.history.push(text);
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
  const { id, name, input, version, parent } = start;
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

function terminate(engine: Engine, instance: Instance, event: HistoryEvent): boolean {
  const now = engine.clock.now();
  const reason = event.Reason ?? '';
  const written = engine.write(() => {
    removeMessages(engine, instance, instance.inbox);
    instance.status = 'Terminated';
    instance.output = jsonOf(reason);
    instance.updated = now;
    appendHistory(engine, instance, [event]);
    engine.store.removeTimers(instance.id);
    engine.store.updateInstance(instance);
    if (!instance.parent) return;
    const told = `The sub-orchestration was terminated: ${reason}`;
    const failed = history.subOrchestrationFailed(now, instance.parent.task, told, plainFailure('Terminated', told));
    engine.deliver(instance.parent.id, instance.parent.execution, failed);
  });
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
  const past = JSON.parse(`[${instance.history.join(',')}]`) as HistoryEvent[];
  const unread = [...past, ...events].filter((event) => {
    if (event.EventType !== EventType.eventRaised) return false;
    const waits = how.waits.get(event.Name ?? '') ?? 0;
    if (waits > 0) how.waits.set(event.Name ?? '', waits - 1);
    return waits === 0;
  });
  // What is still in the inbox was raised later, so it goes behind what this execution has left unread.
  const later = instance.inbox;
  removeMessages(engine, instance, later);
  engine.store.clearExecution(instance.id);
  instance.history = [];
  instance.execution = engine.newId();
  instance.input = how.input;
  instance.progress = freshProgress();
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
