// What is compared, in order: parts of blocks, cut down to what can have content, and put together so that a unit of work
// fills one block's memory.
import type { DiskSource, Extent } from '../sources/source.ts';
import { blockBytes, blockCount, blockRange, lengthOf, type Range } from './blocks.ts';

/** Work on one block. */
export interface Part {
  block: number;
  /** Whole chunks of it that are compared, in order. */
  compared: Range[];
  /** What of that has to be read; the rest is known to be zero. */
  read: Range[];
}

const mostParts = 256;

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
    yield { block, compared: [range], read: read.filter((part) => lengthOf(part) > 0) };
  }
}

/** Some blocks, in order, read whole. */
export async function* theseBlocks(
  { sizeBytes }: DiskSource,
  diskBytes: number,
  blocks: Iterable<number>,
): AsyncGenerator<Part> {
  for (const block of blocks) {
    const range = blockRange(block, diskBytes);
    const read = [{ start: range.start, stop: Math.min(range.stop, sizeBytes) }];
    yield { block, compared: [range], read: read.filter((part) => lengthOf(part) > 0) };
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
