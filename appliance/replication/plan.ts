// What is compared, in order: parts of blocks, cut down to what can have content, and put together so that a unit of work
// fills one block's memory.
import type { DiskSource, Extent } from '../sources/source.ts';
import {
  blockBytes,
  blockCount,
  blockRange,
  chunksIn,
  chunksPerBlock,
  lengthOf,
  type Range,
  rangesOf,
} from './blocks.ts';
import type { Ledger } from './ledger.ts';

/** Work on one block. */
export interface Part {
  block: number;
  /** Whole chunks of it that are compared, in order. */
  compared: Range[];
  /** What of that has to be read; the rest is known to be zero. */
  read: Range[];
}

const mostParts = 256;
/** Of so many blocks the changes are in memory at a time. */
const windowBlocks = 1024;
const everyChunk = (1n << BigInt(chunksPerBlock)) - 1n;

/** Every block from one on. What the source says is zero is not read, nor what lies beyond its end. */
export async function* wholeDisk(
  source: DiskSource,
  diskBytes: number,
  first: number,
  signal: AbortSignal,
): AsyncGenerator<Part> {
  const within = { start: first * blockBytes, stop: source.sizeBytes };
  const data = source.extents && within.start < within.stop ? new Data(source.extents(within, signal)) : undefined;
  for (let block = first; block < blockCount(diskBytes); block++) {
    const range = blockRange(block, diskBytes);
    const onSource = { start: range.start, stop: Math.min(range.stop, source.sizeBytes) };
    const read = data ? await data.within(onSource) : [onSource];
    yield { block, compared: [range], read: read.filter(isSome) };
  }
}

/** What a bitmap says has changed, and whole blocks of which nothing is known; from one block on. */
export async function* changedParts(
  changed: NonNullable<DiskSource['changed']>,
  { sizeBytes, ledger, first, signal }: { sizeBytes: number; ledger: Ledger; first: number; signal: AbortSignal },
): AsyncGenerator<Part> {
  for (let start = first; start < ledger.blocks; start += windowBlocks) {
    const stop = Math.min(start + windowBlocks, ledger.blocks);
    const wanted = new Map<number, bigint>();
    const within = { start: start * blockBytes, stop: Math.min(stop * blockBytes, sizeBytes) };
    if (within.start < within.stop)
      for await (const range of changed(within, signal))
        for (let block = Math.floor(range.start / blockBytes); block * blockBytes < range.stop; block++)
          wanted.set(block, (wanted.get(block) ?? 0n) | chunksIn(range, block));
    for (const block of ledger.unknown(start, stop)) wanted.set(block, everyChunk);
    for (const [block, chunks] of [...wanted].sort(([a], [b]) => a - b))
      yield chunkPart(block, chunks, ledger.diskBytes, sizeBytes);
  }
}

/** Some chunks of a block. */
export function chunkPart(block: number, chunks: bigint, diskBytes: number, sizeBytes: number): Part {
  const { stop } = blockRange(block, diskBytes);
  const compared = rangesOf(chunks, block).map((range) => ({ ...range, stop: Math.min(range.stop, stop) }));
  const read = compared.map((range) => ({ ...range, stop: Math.min(range.stop, sizeBytes) }));
  return { block, compared: compared.filter(isSome), read: read.filter(isSome) };
}

const isSome = (range: Range): boolean => lengthOf(range) > 0;

/** Some blocks, in order, read whole. */
export async function* theseBlocks(
  { sizeBytes }: DiskSource,
  diskBytes: number,
  blocks: Iterable<number>,
): AsyncGenerator<Part> {
  for (const block of blocks) {
    yield chunkPart(block, everyChunk, diskBytes, sizeBytes);
  }
}

/** Puts parts together that fit into one block's memory. */
export async function* inUnits(parts: AsyncIterable<Part>): AsyncGenerator<Part[]> {
  let unit: Part[] = [];
  let bytes = 0;
  for await (const part of parts) {
    const more = memoryOf(part);
    if (unit.length > 0 && (bytes + more > blockBytes || unit.length >= mostParts)) {
      yield unit;
      unit = [];
      bytes = 0;
    }
    unit.push(part);
    bytes += more;
  }
  if (unit.length > 0) yield unit;
}

/** What a part takes of a block's memory. */
export function memoryOf({ compared, read }: Part): number {
  return read.length === 0 ? 0 : compared.reduce((sum, range) => sum + lengthOf(range), 0);
}

/** Where extents hold data, asked for ranges that rise. */
class Data {
  readonly #extents: AsyncIterator<Extent>;
  #current: Extent | undefined;

  constructor(extents: AsyncIterable<Extent>) {
    this.#extents = extents[Symbol.asyncIterator]();
  }

  async within({ start, stop }: Range): Promise<Range[]> {
    const found: Range[] = [];
    for (let at = start; at < stop; ) {
      if (!this.#current || this.#current.stop <= at) this.#current = await this.#next(at);
      const end = Math.min(this.#current.stop, stop);
      const last = found.at(-1);
      if (!this.#current.zero && last?.stop === at) last.stop = end;
      else if (!this.#current.zero) found.push({ start: at, stop: end });
      at = end;
    }
    return found;
  }

  async #next(at: number): Promise<Extent> {
    const { value, done } = await this.#extents.next();
    if (done || value.start > at || value.stop <= at) throw new Error(`the source says nothing about byte ${at}`);
    return value;
  }
}
