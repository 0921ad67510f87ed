// Faults for tests of what clients do: each hook makes the broker fail in one way that a real one has, on demand.
import type { Broker } from './core/broker.ts';
import { BusError } from './core/errors.ts';

export class Faults {
  #busy = 0;
  #commitMs = 0;
  #isDiskFull = false;
  readonly #broker: () => Broker;
  readonly #drop: () => void;

  constructor(broker: () => Broker, drop: () => void) {
    this.#broker = broker;
    this.#drop = drop;
  }

  /** Breaks every connection, without a word. */
  dropConnections(): void {
    this.#drop();
  }

  /** Answers the next `requests` sends and management requests with server-busy. */
  beBusy(requests: number): void {
    this.#busy = requests;
  }

  /** Lets every lock of an entity expire, on messages and on sessions. */
  expireLocks(path: string): void {
    const { queue, deadLetter, transfer } = this.#broker().get(path);
    for (const each of [queue, deadLetter, transfer]) each?.expireLocks();
  }

  /** Makes every commit take `ms` more: the whole broker waits for it, as for a slow disk. 0 ends that. */
  slowCommits(ms: number): void {
    this.#commitMs = ms;
  }

  /** Makes the next commit fail. The broker acknowledges nothing from then on. */
  failCommit(): void {
    this.#isDiskFull = true;
  }

  // ---- for the broker

  readonly admit = (): void => {
    if (this.#busy === 0) return;
    this.#busy--;
    throw new BusError('com.microsoft:server-busy', 'The server is busy (a fault that was asked for).');
  };

  readonly around = (commit: () => void): void => {
    if (this.#isDiskFull) throw new Error('The commit failed (a fault that was asked for).');
    if (this.#commitMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, this.#commitMs);
    commit();
  };
}
