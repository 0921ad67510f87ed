// Everything that happens at a time (locks, schedules, expiries, waits), in one binary heap with removal.
import type { Clock } from './environment.ts';

export interface Deadline {
  at: number;
  run: () => void;
  index: number;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #heap: Deadline[] = [];
  #cancel: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(at: number, run: () => void): Deadline {
    const deadline: Deadline = { at, run, index: this.#heap.length };
    this.#heap.push(deadline);
    this.#up(deadline.index);
    this.#arm();
    return deadline;
  }

  remove(deadline: Deadline | undefined): void {
    if (!deadline || deadline.index < 0) return;
    const { index } = deadline;
    deadline.index = -1;
    const last = this.#heap.pop();
    if (!last || last === deadline) return;
    this.#put(last, index);
    this.#up(index);
    this.#down(last.index);
  }

  /** Runs what is due. The alarm calls this; a test with its own clock may too. */
  runDue(): void {
    const now = this.#clock.now();
    try {
      for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
        this.remove(first);
        first.run();
      }
    } finally {
      // Also after a failure: the others still have their times.
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.#arm();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (this.#stopped || !first || first.at >= this.#armedFor) return;
    this.#cancel?.();
    this.#armedFor = first.at;
    this.#cancel = this.#clock.wake(first.at, () => this.runDue());
  }

  #put(deadline: Deadline, index: number): void {
    this.#heap[index] = deadline;
    deadline.index = index;
  }

  #up(start: number): void {
    let index = start;
    const item = this.#heap[index];
    if (!item) return;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above];
      if (!parent || parent.at <= item.at) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(item, index);
  }

  #down(start: number): void {
    let index = start;
    const item = this.#heap[index];
    if (!item) return;
    for (;;) {
      const left = this.#heap[2 * index + 1];
      const right = this.#heap[2 * index + 2];
      const least = right && left && right.at < left.at ? right : left;
      if (!least || least.at >= item.at) break;
      const at = least.index;
      this.#put(least, index);
      index = at;
    }
    this.#put(item, index);
  }
}
