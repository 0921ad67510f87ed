// A wait that a stopping trigger cuts short.

export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timeout);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timeout = setTimeout(done, milliseconds);
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
