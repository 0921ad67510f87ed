// One block as the blob is known to hold it beside what was read of the source: what to write, and what is known then.
import { blockRange, chunkBytes, lengthOf, type Range } from './blocks.ts';
import { difference } from './diff.ts';
import { type Digests, isAllZero, partOf, roomFor, zeroDigests } from './hashing.ts';
import type { Entry } from './ledger.ts';

/** A stretch to write: where on the disk, and where in what was read; absent where it is cleared. */
interface Write extends Range {
  from?: number;
}

export interface Comparison {
  writes: Write[];
  /** The block once these are acknowledged. */
  after: Entry;
}

/** `found` are the digests of the compared ranges of a block, end to end. Undefined if nothing differs. */
export function compareBlock(
  block: number,
  diskBytes: number,
  compared: readonly Range[],
  found: Digests,
  before: Entry | undefined,
  mayHoldData: boolean,
): Comparison | undefined {
  const whole = blockRange(block, diskBytes);
  if (!before && totalOf(compared) < lengthOf(whole)) throw new Error(`nothing is known of the rest of block ${block}`);
  const isZero = totalOf(compared) === lengthOf(whole) && isAllZero(found);
  const now = isZero ? zeroDigests(lengthOf(whole)) : roomFor(lengthOf(whole));
  if (before && !isZero) copy(before, now);
  let unread = before?.unread ?? 0n;
  const writes: Write[] = [];
  let at = 0;
  for (const range of compared) {
    const [first, count] = [(range.start - whole.start) / chunkBytes, lengthOf(range) / chunkBytes];
    const stretch = partOf(found, at / chunkBytes, count);
    const { puts, clears, chunks } = difference(before && partOf(before, first, count), stretch, mayHoldData);
    for (const { start, stop } of clears) writes.push({ start: range.start + start, stop: range.start + stop });
    for (const { start, stop } of puts)
      writes.push({ start: range.start + start, stop: range.start + stop, from: at + start });
    for (const chunk of chunks) unread |= 1n << BigInt(first + chunk);
    if (!isZero) copy(stretch, partOf(now, first, count));
    at += lengthOf(range);
  }
  return before && writes.length === 0 ? undefined : { writes, after: { ...now, unread } };
}

export const totalOf = (ranges: readonly Range[]): number => ranges.reduce((sum, range) => sum + lengthOf(range), 0);

function copy(from: Digests, to: Digests): void {
  to.chunks.set(from.chunks);
  to.prints.set(from.prints);
}
