// Which instances are to be looked at next. Those that are in memory go first, so that under load a few instances run to
// their next wait with their histories at hand, instead of all of them taking turns and none of them fitting.

// So often an instance that is not in memory comes first, however many others are ready: nobody waits for ever.
const coldEvery = 64;

export class ReadyQueue {
  readonly #isWarm: (id: string) => boolean;
  readonly #queued = new Set<string>();
  readonly #warm = new Fifo();
  readonly #cold = new Fifo();
  #taken = 0;

  constructor(isWarm: (id: string) => boolean) {
    this.#isWarm = isWarm;
  }

  get size(): number {
    return this.#warm.size + this.#cold.size;
  }

  /** Adds an instance; false when it is queued already. */
  add(id: string): boolean {
    if (this.#queued.has(id)) return false;
    this.#queued.add(id);
    (this.#isWarm(id) ? this.#warm : this.#cold).push(id);
    return true;
  }

  take(): string | undefined {
    const [first, second] = ++this.#taken % coldEvery === 0 ? [this.#cold, this.#warm] : [this.#warm, this.#cold];
    const id = first.shift() ?? second.shift();
    if (id !== undefined) this.#queued.delete(id);
    return id;
  }
}

/** First in, first out, without the linear cost of shifting an array. */
export class Fifo<T = string> {
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (this.#head < this.#items.length) this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
