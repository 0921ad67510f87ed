// How a disk is cut. A block of 4 MiB, the most that one Put Page takes, is the unit of work and of the manifest; a chunk
// of 64 KiB is what is read, hashed and read back for a small change; a piece of 4 KiB is what is written for it.
// https://learn.microsoft.com/rest/api/storageservices/put-page
export const blockBytes = 4 << 20;
export const chunkBytes = 64 << 10;
export const pieceBytes = 4 << 10;
export const chunksPerBlock = blockBytes / chunkBytes;
export const piecesPerChunk = chunkBytes / pieceBytes;

/** Bytes from `start` up to and without `stop`. */
export interface Range {
  start: number;
  stop: number;
}

export const blockCount = (diskBytes: number): number => Math.ceil(diskBytes / blockBytes);

/** The block's place on the disk; the last one may be short. */
export function blockRange(block: number, diskBytes: number): Range {
  return { start: block * blockBytes, stop: Math.min((block + 1) * blockBytes, diskBytes) };
}

/** The chunks of a block that have their bit set, as ranges of the disk. */
export function rangesOf(chunks: bigint, block: number): Range[] {
  const ranges: Range[] = [];
  for (let start = block * blockBytes, left = chunks; left > 0n; start += chunkBytes, left >>= 1n)
    if (left & 1n) ranges.push({ start, stop: start + chunkBytes });
  return joinRanges(ranges);
}

/** Bits of the chunks of a block that a range touches. */
export function chunksIn({ start, stop }: Range, block: number): bigint {
  const from = Math.max(0, Math.floor((start - block * blockBytes) / chunkBytes));
  const to = Math.min(chunksPerBlock, Math.ceil((stop - block * blockBytes) / chunkBytes));
  return to <= from ? 0n : ((1n << BigInt(to - from)) - 1n) << BigInt(from);
}

export const lengthOf = ({ start, stop }: Range): number => stop - start;

/** Ranges in order, with those joined that touch or overlap. */
export function joinRanges(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const { start, stop } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && start <= last.stop) last.stop = Math.max(last.stop, stop);
    else joined.push({ start, stop });
  }
  return joined;
}
