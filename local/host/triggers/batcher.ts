// Between a streaming receiver and the function: gathers what has arrived into batches, runs a bounded number of them,
// and settles each message with its batch. A streaming receiver renews a message's lock until its promise settles.
import type { ServiceBusReceivedMessage } from '@azure/service-bus';

interface Waiting {
  message: ServiceBusReceivedMessage;
  settled: () => void;
}

export class Batcher {
  readonly #size: number;
  readonly #parallel: number;
  readonly #handle: (messages: ServiceBusReceivedMessage[]) => Promise<void>;
  #waiting: Waiting[] = [];
  #running = 0;
  #closed = false;
  #changed: (() => void)[] = [];
  #gathering = false;

  constructor(size: number, parallel: number, handle: (messages: ServiceBusReceivedMessage[]) => Promise<void>) {
    this.#size = size;
    this.#parallel = parallel;
    this.#handle = handle;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  /** Resolves when the message has been dealt with, or given up by `close`. */
  add(message: ServiceBusReceivedMessage): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((settled) => {
      this.#waiting.push({ message, settled });
      this.#gather();
    });
  }

  /** Starts nothing more and resolves when what runs has ended; messages not started stay unsettled. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { settled } of this.#waiting.splice(0)) settled();
    while (this.#running > 0) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  // A burst arrives over several turns of the event loop; a moment's patience makes one batch of it.
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    setTimeout(
      () => {
        this.#gathering = false;
        this.#pump();
      },
      this.#size > 1 && this.#waiting.length < this.#size ? 2 : 0,
    );
  }

  #pump(): void {
    while (!this.#closed && this.#running < this.#parallel && this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#size);
      this.#running++;
      void this.#handle(batch.map(({ message }) => message)).finally(() => {
        this.#running--;
        for (const { settled } of batch) settled();
        for (const resolve of this.#changed.splice(0)) resolve();
        this.#pump();
      });
    }
  }
}
