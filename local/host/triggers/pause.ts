// A wait that a stopping trigger cuts short.
import { type Clock, systemClock } from '../../durable/clock.ts';

export function pause(milliseconds: number, signal: AbortSignal, clock: Clock = systemClock): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.at(clock.now() + milliseconds, done);
    signal.addEventListener('abort', done);
  });
}

/** Doubles from 300 ms to 5 s; a success starts over. */
export class Backoff {
  #next = 300;
  reset(): void {
    this.#next = 300;
  }
  async wait(signal: AbortSignal): Promise<void> {
    const now = this.#next;
    this.#next = Math.min(now * 2, 5000);
    await pause(now, signal);
  }
}
