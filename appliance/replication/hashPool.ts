// Hashing off the main thread: SHA-256 over everything that is read would keep it from its sockets. Blocks are handed over
// in shared memory, so nothing is copied. This file is also what the threads run, so that a bundle of one file has them.
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { blockBytes } from './blocks.ts';
import { type Digests, digest, roomFor } from './hashing.ts';

/** Memory for one block and its digests, visible to all threads. */
export interface SharedBlock {
  memory: SharedArrayBuffer;
  /** Where in it the block begins. */
  at: number;
  data: Buffer;
  digests: Digests;
}

const { chunks, prints } = roomFor(blockBytes);
const pageBytes = 64 << 10;
const sharedBytes = Math.ceil((blockBytes + chunks.length + prints.length) / pageBytes) * pageBytes;
const role = 'landfall.hashing';

/** So many blocks, each at the beginning of a page of memory: the kernel fills no others without copying. */
export function allocateBlocks(count: number): SharedBlock[] {
  const pages = (count * sharedBytes) / pageBytes;
  // Nothing else in Node promises where memory begins.
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return Array.from({ length: count }, (_, index) => viewsOf(buffer, index * sharedBytes));
}

function viewsOf(memory: SharedArrayBuffer, at: number): SharedBlock {
  const data = Buffer.from(memory, at, blockBytes);
  const own = Buffer.from(memory, at + blockBytes, chunks.length);
  return {
    memory,
    at,
    data,
    digests: { chunks: own, prints: Buffer.from(memory, at + blockBytes + chunks.length, prints.length) },
  };
}

interface Thread {
  worker: Worker;
  /** Who waits for it, in the order in which it was asked. */
  waiting: PromiseWithResolvers<void>[];
}

export class HashPool {
  readonly #size: number;
  readonly #threads: Thread[] = [];

  /** With `size` 0 everything is hashed by the caller's thread. */
  constructor(size = Math.min(4, Math.max(1, availableParallelism() - 1))) {
    this.#size = size;
  }

  /** Fills the digests of the first `bytes` of a block, which are whole chunks. */
  async digest(block: SharedBlock, bytes: number): Promise<void> {
    if (this.#size === 0) {
      digest(block.data.subarray(0, bytes), block.digests);
      return;
    }
    const thread = this.#idlest();
    const done = Promise.withResolvers<void>();
    thread.waiting.push(done);
    // Only a thread that works keeps the process alive.
    thread.worker.ref();
    thread.worker.postMessage({ memory: block.memory, at: block.at, bytes });
    await done.promise;
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
    const worker = new Worker(new URL(import.meta.url), { workerData: role, resourceLimits });
    const thread: Thread = { worker, waiting: [] };
    this.#threads.push(thread);
    worker.on('message', () => {
      thread.waiting.shift()?.resolve();
      if (thread.waiting.length === 0) worker.unref();
    });
    const lost = (error: Error): void => {
      const index = this.#threads.indexOf(thread);
      if (index >= 0) this.#threads.splice(index, 1);
      for (const { reject } of thread.waiting.splice(0)) reject(error);
    };
    worker.on('error', lost);
    worker.on('exit', (code) => lost(new Error(`a hashing thread ended with ${code}`)));
    return thread;
  }
}

if (!isMainThread && workerData === role)
  parentPort?.on('message', ({ memory, at, bytes }: { memory: SharedArrayBuffer; at: number; bytes: number }) => {
    const block = viewsOf(memory, at);
    digest(block.data.subarray(0, bytes), block.digests);
    parentPort?.postMessage(undefined);
  });
