// Hashing off the main thread: SHA-256 over everything that is read would keep it from its sockets. Blocks are handed over
// in shared memory, so nothing is copied.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { digest } from './hashing.ts';
import type { SharedBlock } from './sharedBlock.ts';

/** The program of the threads, in a bundle of one file: a thread that read all of the bundle took 0.1 s to start. */
declare const landfallHashThread: string | undefined;

const ownProgram =
  typeof landfallHashThread === 'string'
    ? new URL(`data:text/javascript,${encodeURIComponent(landfallHashThread)}`)
    : new URL('./hashThread.ts', import.meta.url);

interface Thread {
  worker: Worker;
  isUp: boolean;
  /** Who waits for it, in the order in which it was asked. */
  waiting: PromiseWithResolvers<void>[];
}

export class HashPool {
  readonly #size: number;
  readonly #program: URL;
  readonly #threads: Thread[] = [];
  /** Why the last thread did not start. */
  #failed: Error | undefined;

  /** With `size` 0 everything is hashed by the caller's thread. */
  constructor(size = Math.min(4, Math.max(1, availableParallelism() - 1)), program = ownProgram) {
    this.#size = size;
    this.#program = program;
  }

  /** Fills the digests of the first `bytes` of a block, which are whole chunks. */
  async digest(block: SharedBlock, bytes: number): Promise<void> {
    if (this.#failed) {
      const failed = this.#failed;
      this.#failed = undefined;
      throw failed;
    }
    const thread = this.#size === 0 ? undefined : this.#idlest();
    // While one starts, several blocks are hashed here.
    if (!thread?.isUp) {
      digest(block.data.subarray(0, bytes), block.digests);
      return;
    }
    const done = Promise.withResolvers<void>();
    thread.waiting.push(done);
    // Only a thread that works keeps the process alive.
    thread.worker.ref();
    thread.worker.postMessage({ memory: block.memory, at: block.at, bytes });
    await done.promise;
  }

  /** Threads that run. */
  get threads(): number {
    return this.#threads.filter(({ isUp }) => isUp).length;
  }

  /** Ends the threads; the next block starts new ones. */
  rest(): void {
    for (const { worker } of this.#threads.splice(0)) void worker.terminate();
  }

  #idlest(): Thread {
    const [first, ...others] = this.#threads.toSorted((a, b) => a.waiting.length - b.waiting.length);
    if (first && (first.waiting.length === 0 || others.length + 1 >= this.#size)) return first;
    return this.#start();
  }

  #start(): Thread {
    const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };
    const worker = new Worker(this.#program, { resourceLimits });
    const thread: Thread = { worker, isUp: false, waiting: [] };
    this.#threads.push(thread);
    worker.unref();
    worker.on('message', () => {
      // Its first word is that it has read its program.
      if (thread.isUp) thread.waiting.shift()?.resolve();
      thread.isUp = true;
      if (thread.waiting.length === 0) worker.unref();
    });
    const lost = (error: Error): void => {
      const index = this.#threads.indexOf(thread);
      if (index >= 0) {
        this.#threads.splice(index, 1);
        // Who comes next is told: one thread after the other would be started in vain.
        if (!thread.isUp) this.#failed = error;
      }
      for (const { reject } of thread.waiting.splice(0)) reject(error);
    };
    worker.on('error', lost);
    worker.on('exit', (code) => lost(new Error(`a hashing thread ended with ${code}`)));
    return thread;
  }
}
