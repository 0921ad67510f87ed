// Lets the source of a streamed body run only so far ahead of the client. The library (httpProxy.ts of @azure/functions
// 4.16.5) reads a source as fast as it gives, to its end: a slow client would fill the memory, and one that has gone
// would not stop a source that never ends.
import { Transform } from 'node:stream';

// What may be on its way from the source to the client.
const window = 1024 * 1024;

export class Flow {
  readonly #signal: AbortSignal;
  #underWay = 0;
  #wake = () => {};

  /** The signal says that nobody reads any more. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Stands between library and client, and counts what arrives. */
  arrivals(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#underWay -= chunk.length;
        this.#wake();
        done(null, chunk);
      },
    });
  }

  /** The source, paced; cancelled as soon as nobody reads any more. */
  pace(source: ReadableStream<unknown>): ReadableStream<unknown> {
    const reader = source.getReader();
    const cancel = () => void reader.cancel(this.#signal.reason).catch(() => {});
    if (this.#signal.aborted) cancel();
    this.#signal.addEventListener('abort', cancel, { once: true });
    return new ReadableStream(
      {
        pull: async (controller) => {
          while (this.#underWay >= window && !this.#signal.aborted)
            await new Promise<void>((wake) => {
              this.#wake = wake;
            });
          const { done, value } = await reader.read();
          this.#signal.throwIfAborted();
          if (done) return controller.close();
          this.#underWay += sizeOf(value);
          controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }
}

function sizeOf(chunk: unknown): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk);
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}
