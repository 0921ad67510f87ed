// Runs activities, a bounded number at once, in the order in which they were scheduled.
import type { Task } from './rows.ts';

export class ActivityRunner {
  readonly #limit: number;
  readonly #run: (task: Task) => Promise<void>;
  #queue: Task[] = [];
  #head = 0;
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
    while (!this.#stopped && this.#running < this.#limit && this.#head < this.#queue.length) {
      const task = this.#queue[this.#head++];
      if (task) this.#start(task);
    }
    // Shifting an array is linear; dropping the used front now and then is not.
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
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
