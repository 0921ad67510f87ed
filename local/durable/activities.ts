// Runs activities, a bounded number at once, in the order in which they were scheduled.
import type { Clock } from './clock.ts';
import type { EngineOptions } from './engine.ts';
import { failureOf, plainFailure } from './failure.ts';
import { type HistoryEvent, taskCompleted, taskFailed } from './history.ts';
import { Fifo } from './ready.ts';
import type { Task } from './rows.ts';
import { jsonOf } from './wire.ts';

export class ActivityRunner {
  readonly #limit: number;
  readonly #run: (task: Task) => Promise<void>;
  readonly #queue = new Fifo<Task>();
  #running = 0;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(limit: number, run: (task: Task) => Promise<void>) {
    this.#limit = limit;
    this.#run = run;
  }

  add(task: Task): void {
    this.#queue.push(task);
    this.#pump();
  }

  /** Starts no more activities; resolves when those that run have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #pump(): void {
    while (!this.#stopped && this.#running < this.#limit) {
      const task = this.#queue.shift();
      if (!task) return;
      this.#start(task);
    }
  }

  #start(task: Task): void {
    this.#running++;
    void this.#run(task).finally(() => {
      this.#running--;
      this.#pump();
      if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }
}

/** Runs an activity and says what became of it, whatever did. */
export async function activityEvent(
  { id, name, input, instance }: Task,
  { has, invoke }: Pick<EngineOptions, 'has' | 'invoke'>,
  clock: Clock,
): Promise<HistoryEvent> {
  if (!has('activity', name)) {
    const missing = `The activity function "${name}" does not exist.`;
    return taskFailed(clock.now(), id, missing, plainFailure('FunctionNotFound', missing));
  }
  try {
    const result = await invoke({ kind: 'activity', name, json: input, instanceId: instance });
    return taskCompleted(clock.now(), id, jsonOf(result));
  } catch (thrown) {
    const failure = failureOf(thrown);
    return taskFailed(clock.now(), id, `Activity function '${name}' failed: ${failure.ErrorMessage}`, failure);
  }
}
