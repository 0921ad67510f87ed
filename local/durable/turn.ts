// One turn of one instance: take messages from its inbox, replay the orchestrator, store the decision.
import { appendHistory, commit, removeMessages, terminate } from './apply.ts';
import { batchLength, completedTask, decide, freshProgress, type Decision } from './decide.ts';
import type { Engine } from './engine.ts';
import * as history from './history.ts';
import { EventType, type HistoryEvent } from './history.ts';
import type { Instance } from './instances.ts';
import { isTerminal, type Message } from './rows.ts';
import { episodeInput, readAnswer, readFailure, type Answer } from './wire.ts';

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
