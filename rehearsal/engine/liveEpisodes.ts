// Orchestrations that go on from where they wait, instead of being replayed from their history at every episode: what
// makes many seeds cheap. The SDK replays by feeding a history, event by event, to a fresh executor
// (durable-functions@3.5.0, lib/src/orchestrations/TaskOrchestrationExecutor.js); here the executor is kept and fed the
// new events alone. A crash of the engine forgets it, so that the next episode is a true replay. That both tell the same
// story is tested by running seeds both ways.
import type { Episode, Invocation } from '../../local/durable/engine.ts';

interface WireEvent {
  Timestamp?: string | Date;
}

/** What is used of the SDK's executor. */
interface Executor {
  actions: unknown[];
  output: unknown;
  exception: unknown;
  willContinueAsNew: boolean;
  context: { customStatus: unknown };
  _isReplaying: boolean;
  processEvent(event: WireEvent): void;
  isDoneExecuting(): boolean;
  hasCompletedSuccessfully(): boolean;
}

interface Live {
  executor: Executor;
  execution: string;
  /** How many rows of history the executor has seen. */
  rows: number;
}

export class LiveEpisodes {
  readonly #live = new WeakMap<object, Live>();
  readonly #begun = new Map<string, Executor>();

  /** Hears of every orchestration that the SDK begins to replay. */
  begins(context: { df: unknown }): void {
    const { instanceId, taskOrchestratorExecutor } = context.df as {
      instanceId: string;
      taskOrchestratorExecutor: Executor;
    };
    this.#begun.set(instanceId, taskOrchestratorExecutor);
  }

  /** Plays an episode: from where the orchestration waits, or by `replay`, which runs all of its history. */
  async play(invocation: Invocation, replay: () => Promise<unknown>): Promise<unknown> {
    const { episode, instanceId } = invocation;
    if (episode === undefined) return replay();
    const { memory, execution, rows } = episode;
    const live = this.#live.get(memory);
    this.#live.delete(memory);
    if (live !== undefined && live.execution === execution && live.rows === rows) {
      const answer = goOn(live.executor, episode);
      if (answer !== undefined) {
        if (!answer.isDone) this.#live.set(memory, { ...live, rows: rows + 1 });
        return answer;
      }
    }
    const answer = await replay();
    const executor = this.#begun.get(instanceId);
    this.#begun.delete(instanceId);
    if (executor !== undefined && !executor.isDoneExecuting())
      this.#live.set(memory, { executor, execution, rows: rows + 1 });
    return answer;
  }
}

/** The answer in the form of the SDK's; nothing if it failed or begins anew, which a true replay puts into words. */
function goOn(executor: Executor, { fresh }: Episode): { isDone: boolean; actions: unknown[][] } | undefined {
  executor._isReplaying = false;
  for (const event of JSON.parse(`[${fresh}]`) as WireEvent[]) {
    if (event.Timestamp !== undefined) event.Timestamp = new Date(event.Timestamp);
    executor.processEvent(event);
    if (executor.isDoneExecuting()) break;
  }
  if (executor.exception !== undefined || executor.willContinueAsNew) return undefined;
  const { output, context } = executor;
  const answer = { output, customStatus: context.customStatus };
  return { isDone: executor.hasCompletedSuccessfully(), actions: [executor.actions], ...answer };
}
