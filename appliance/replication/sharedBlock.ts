// Memory for blocks that the threads of `hashPool.ts` see too.
import { blockBytes } from './blocks.ts';
import { type Digests, roomFor } from './hashing.ts';

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

/** So many blocks, each at the beginning of a page of memory: the kernel fills no others without copying. */
export function allocateBlocks(count: number): SharedBlock[] {
  const pages = (count * sharedBytes) / pageBytes;
  // Nothing else in Node promises where memory begins.
  const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return Array.from({ length: count }, (_, index) => viewsOf(buffer, index * sharedBytes));
}

/** The block that begins at a place of the memory. */
export function viewsOf(memory: SharedArrayBuffer, at: number): SharedBlock {
  const data = Buffer.from(memory, at, blockBytes);
  const own = Buffer.from(memory, at + blockBytes, chunks.length);
  return {
    memory,
    at,
    data,
    digests: { chunks: own, prints: Buffer.from(memory, at + blockBytes + chunks.length, prints.length) },
  };
}
