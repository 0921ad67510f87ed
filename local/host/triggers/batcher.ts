// Between a streaming receiver and the function: gathers what has arrived into batches, runs a bounded number of them,
// and settles each message with its batch. A streaming receiver renews a message's lock until its promise settles.
import type { ServiceBusReceivedMessage } from '@azure/service-bus';

interface Waiting {
  message: ServiceBusReceivedMessage;
  settled: () => void;
}

export interface BatchSizes {
  most: number;
  /** A smaller batch has to wait `patience` milliseconds for more. */
  least: number;
  patience: number;
  parallel: number;
}

export class Batcher {
  readonly #sizes: BatchSizes;
  readonly #handle: (messages: ServiceBusReceivedMessage[]) => Promise<void>;
  #waiting: Waiting[] = [];
  #running = 0;
  #closed = false;
  #changed: (() => void)[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #impatient: NodeJS.Timeout | undefined;

  constructor(sizes: BatchSizes, handle: (messages: ServiceBusReceivedMessage[]) => Promise<void>) {
    this.#sizes = sizes;
    this.#handle = handle;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves when the message has been dealt with, or given up by `close`. */
  add(message: ServiceBusReceivedMessage): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((settled) => {
      this.#waiting.push({ message, settled });
      this.#gather();
    });
  }

  /** Runs what there is, however little. */
  flush(): void {
    this.#pump(1);
  }

  /** Starts nothing more and resolves when what runs has ended; messages not started stay unsettled. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#impatient);
    for (const { settled } of this.#waiting.splice(0)) settled();
    while (this.#running > 0) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  // A burst arrives over several turns of the event loop; a moment's patience makes one batch of it.
  #gather(): void {
    const { most, least, patience } = this.#sizes;
    if (this.#waiting.length < least) {
      this.#impatient ??= setTimeout(() => this.flush(), patience);
      return;
    }
    this.#gathering ??= setTimeout(
      () => {
        this.#gathering = undefined;
        this.#pump(least);
      },
      most > 1 && this.#waiting.length < most ? 2 : 0,
    );
  }

  #pump(least: number): void {
    clearTimeout(this.#impatient);
    this.#impatient = undefined;
    while (!this.#closed && this.#running < this.#sizes.parallel && this.#waiting.length >= least) {
      const batch = this.#waiting.splice(0, this.#sizes.most);
      this.#running++;
      void this.#handle(batch.map(({ message }) => message)).finally(() => {
        this.#running--;
        for (const { settled } of batch) settled();
        for (const resolve of this.#changed.splice(0)) resolve();
        this.#pump(this.#sizes.least);
      });
    }
    if (!this.#closed && this.isWaiting && this.#running === 0) this.#gather();
  }
}
