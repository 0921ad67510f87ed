// How much is on its way to storage at a time. What is on its way when a process is killed was carried in vain: so it is
// no more than what the line has lately carried in two seconds, whatever line that is, and one request in any case.
import { blockBytes } from './blocks.ts';

const most = { seconds: 2, request: blockBytes };
/** What takes longer tells that the line has become slower; what is sooner done may only have been small. */
const slowMs = 500;

interface Waiter {
  bytes: number;
  enter: () => void;
}

/** One for all syncs of the process: they share the line. */
export class Flight {
  readonly #now: () => number;
  readonly #waiting: Waiter[] = [];
  #bytes = 0;
  #carried = 0;
  #bytesPerMs = 0;

  /** `now` in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Bytes that are on their way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Runs `work`, which carries so many bytes, as soon as these have room, in the order of asking. */
  async carry<T>(bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(bytes, signal);
    const [began, before] = [this.#now(), this.#carried];
    try {
      const result = await work();
      this.#carried += bytes;
      this.#learn(this.#carried - before, this.#now() - began);
      return result;
    } finally {
      this.#bytes -= bytes;
      this.#admit();
    }
  }

  async #enter(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { bytes, enter: resolve };
    this.#waiting.push(waiter);
    const leave = (): void => {
      const place = this.#waiting.indexOf(waiter);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      reject(signal.reason as Error);
      this.#admit();
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#admit();
    await promise.finally(() => signal.removeEventListener('abort', leave));
  }

  #admit(): void {
    const limit = Math.max(most.request, this.#bytesPerMs * most.seconds * 1000);
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      if (this.#bytes > 0 && this.#bytes + next.bytes > limit) return;
      this.#waiting.shift();
      this.#bytes += next.bytes;
      next.enter();
    }
  }

  /** All that arrived while one request was on its way is what the line carried in that time. */
  #learn(bytes: number, ms: number): void {
    const seen = bytes / Math.max(ms, 1);
    if (seen >= this.#bytesPerMs) this.#bytesPerMs = seen;
    else if (ms > slowMs) this.#bytesPerMs = (this.#bytesPerMs + seen) / 2;
  }
}
