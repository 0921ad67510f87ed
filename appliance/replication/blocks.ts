// How a disk is cut: blocks of 4 MiB, the most that one Put Page takes, are hashed and compared; inside a block zeros are
// found in runs of 64 KiB, so that empty space is not shipped.
// https://learn.microsoft.com/rest/api/storageservices/put-page
export const blockBytes = 4 << 20;
const pageBytes = 512;
const runBytes = 64 << 10;
const zeros = Buffer.alloc(runBytes);

export interface Range {
  start: number;
  stop: number;
}

export const blockCount = (sizeBytes: number): number => Math.ceil(sizeBytes / blockBytes);

/** The block's place on the disk; the last one may be short. */
export function blockRange(index: number, sizeBytes: number): Range {
  return { start: index * blockBytes, stop: Math.min((index + 1) * blockBytes, sizeBytes) };
}

/** Length in whole pages: what lies beyond the source's end is zero in the staging blob. */
export const inPages = (bytes: number): number => Math.ceil(bytes / pageBytes) * pageBytes;

export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += runBytes) {
    const chunk = bytes.subarray(at, at + runBytes);
    if (zeros.compare(chunk, 0, chunk.length, 0, chunk.length) !== 0) return false;
  }
  return true;
}

/** A block as runs with data and runs of zeros, in order, without gaps. */
export function runsOf(block: Uint8Array): (Range & { zero: boolean })[] {
  const runs: (Range & { zero: boolean })[] = [];
  for (let start = 0; start < block.length; start += runBytes) {
    const stop = Math.min(start + runBytes, block.length);
    const zero = isZero(block.subarray(start, stop));
    const last = runs.at(-1);
    if (last?.zero === zero) last.stop = stop;
    else runs.push({ start, stop, zero });
  }
  return runs;
}

/** Per block, whether any of the ranges touches it. */
export function touchedBlocks(ranges: readonly Range[], sizeBytes: number): Uint8Array {
  const touched = new Uint8Array(blockCount(sizeBytes));
  for (const { start, stop } of ranges)
    for (let index = Math.floor(start / blockBytes); index * blockBytes < Math.min(stop, sizeBytes); index++)
      touched[index] = 1;
  return touched;
}

/** Neighbouring blocks joined: how a failure names what it is about. */
export function joinBlocks(indexes: readonly number[], sizeBytes: number): Range[] {
  const ranges: Range[] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const { start, stop } = blockRange(index, sizeBytes);
    const last = ranges.at(-1);
    if (last?.stop === start) last.stop = stop;
    else ranges.push({ start, stop });
  }
  return ranges;
}
