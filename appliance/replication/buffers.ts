/** A fixed number of blocks in memory for all syncs of the process: who finds none waits. They go when nobody copies. */
export class Buffers {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  readonly #limit: number;
  readonly #bytes: number;
  #lent = 0;

  constructor(limit: number, bytes: number) {
    this.#limit = limit;
    this.#bytes = bytes;
  }

  async use<T>(work: (buffer: Buffer) => Promise<T>): Promise<T> {
    const buffer = await this.#take();
    try {
      return await work(buffer);
    } finally {
      this.#give(buffer);
    }
  }

  #take(): Promise<Buffer> {
    if (this.#lent >= this.#limit) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#lent++;
    return Promise.resolve(this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes));
  }

  #give(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next) {
      next(buffer);
      return;
    }
    this.#lent--;
    this.#free.push(buffer);
    if (this.#lent === 0) this.#free.length = 0;
  }
}
