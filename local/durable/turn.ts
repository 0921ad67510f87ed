// One turn of one instance: take messages from its inbox, replay the orchestrator, store the decision.
import { appendHistory, commit, removeMessages, terminate } from './apply.ts';
import { type Decision, decide, freshProgress } from './decide.ts';
import type { Engine } from './engine.ts';
import * as history from './history.ts';
import { completedTask, EventType, type HistoryEvent } from './history.ts';
import type { Instance } from './instances.ts';
import { replay } from './replay.ts';
import { takeBatch } from './retries.ts';
import { isTerminal, type Message } from './rows.ts';
import { versionMismatch } from './versions.ts';
import { type Answer, failedAnswer } from './wire.ts';

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
  const taken = sort(engine, instance);
  if (taken.terminated) return terminate(engine, instance, taken.terminated);
  if (taken.isSuspended || taken.pending.length === 0) return settleOnly(engine, instance, taken);
  const mismatch = versionMismatch(engine.options.versions, instance);
  if (mismatch !== undefined && engine.options.versions?.onMismatch !== 'Fail') {
    engine.leave(instance.id, mismatch);
    return false;
  }
  const now = engine.clock.now();
  const pendingEvents = taken.pending.map((message) => message.event);
  const { length: whole, unmade } = takeBatch(instance.progress, pendingEvents, now);
  const batchOf = (length: number) => [...pendingEvents.slice(0, 1), ...unmade, ...pendingEvents.slice(1, length)];
  const opening = [...taken.controls, history.orchestratorStarted(now)];
  const replayed = (length: number) => replay(engine, instance, [...opening, ...batchOf(length)]);
  let length = whole;
  let answer = mismatch === undefined ? await replayed(length) : failedAnswer(mismatch, 'VersionMismatch');
  // The SDK stops reading at continue-as-new. Only what it has read may be taken from the inbox, and the answer does
  // not say how much that was; replaying shorter batches does, and has no effects.
  for (let shorter = 1; isContinueAsNew(answer) && shorter < length; shorter++) {
    const earlier = await replayed(shorter);
    if (earlier.isDone) [answer, length] = [earlier, shorter];
  }
  const batch = batchOf(length);
  const decision = decideSafely(instance, batch, answer, now);
  if (engine.options.alwaysReplay) instance.acted = answer.actions;
  const consumed = [...taken.settled, ...taken.pending.slice(0, length)];
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

function sort(engine: Engine, instance: Instance): Taken {
  const taken: Taken = {
    settled: [],
    controls: [],
    terminated: undefined,
    isSuspended: instance.status === 'Suspended',
    pending: [],
  };
  const seen = new Set<number>();
  let isStarted = instance.rows > 0;
  for (const message of engine.options.deliveries?.arrange(instance.inbox) ?? instance.inbox) {
    const { event, execution } = message;
    const id = completedTask(event);
    const isStale =
      isTerminal(instance.status) ||
      (execution !== undefined && execution !== instance.execution) ||
      (id !== undefined && (!(id in instance.progress.open) || seen.has(id))) ||
      (event.EventType === EventType.executionStarted && isStarted);
    if (id !== undefined) seen.add(id);
    isStarted ||= event.EventType === EventType.executionStarted;
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
      const before = instance.status;
      instance.status = taken.isSuspended ? 'Suspended' : 'Running';
      instance.updated = engine.clock.now();
      engine.store.updateInstance(instance, before);
    })
    .catch(() => {});
  return false;
}
