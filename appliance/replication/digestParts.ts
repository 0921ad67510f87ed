// Reads parts of a disk, from the source or from the staging blob, in the memory that all syncs share, and hashes them:
// several units of work are in flight at a time.
import { chunkBytes } from './blocks.ts';
import { totalOf } from './compare.ts';
import { type Digests, partOf, zeroDigests } from './hashing.ts';
import { allDone, inLanes, type Mark } from './lanes.ts';
import { inUnits, memoryOf, type Part } from './plan.ts';
import type { Share } from './slots.ts';

export interface Reading {
  parts: AsyncIterable<Part>;
  /** Fills the whole buffer. */
  read(offset: number, buffer: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Gets what a part holds; without bytes it is known to hold only zeros. The memory is lent until this resolves. */
  use(part: Part, digests: Digests, bytes: Buffer | undefined, signal: AbortSignal): Promise<void>;
  memory: Share;
  signal: AbortSignal;
  /** Rises with the blocks that are done. */
  mark?: Mark;
}

const unitsInFlight = 6;

export function digestParts(reading: Reading): Promise<void> {
  const { parts, mark, signal } = reading;
  return inLanes(inUnits(parts), unitsInFlight, signal, async (unit, either) => {
    const [first, last] = [unit[0]?.block ?? 0, unit.at(-1)?.block ?? 0];
    mark?.begin(first);
    await digestUnit(reading, unit, either);
    mark?.end(first, last + 1);
  });
}

async function digestUnit({ memory, read, use }: Reading, unit: readonly Part[], signal: AbortSignal): Promise<void> {
  for (const part of unit)
    if (part.read.length === 0) await use(part, zeroDigests(totalOf(part.compared)), undefined, signal);
  const withData = unit.filter(({ read: ranges }) => ranges.length > 0);
  if (withData.length === 0) return;
  await memory.use(async ({ data, digests, digest }) => {
    signal.throwIfAborted();
    let stop = 0;
    const placed = withData.map((part) => {
      const start = stop;
      stop += memoryOf(part);
      const own = partOf(digests, start / chunkBytes, (stop - start) / chunkBytes);
      return { part, bytes: data.subarray(start, stop), digests: own };
    });
    await allDone(placed.flatMap(({ part, bytes }) => fill(part, bytes, (at, buffer) => read(at, buffer, signal))));
    await digest(stop);
    await allDone(placed.map((each) => use(each.part, each.digests, each.bytes, signal)));
  });
}

/** Lays the compared ranges end to end; what of them is not read is zero. */
function fill(part: Part, bytes: Buffer, read: (at: number, buffer: Buffer) => Promise<void>): Promise<void>[] {
  const reads: Promise<void>[] = [];
  let at = 0;
  for (const { start, stop } of part.compared) {
    const stretch = bytes.subarray(at, at + stop - start);
    at += stretch.length;
    let filled = start;
    for (const range of part.read) {
      const [from, to] = [Math.max(range.start, start), Math.min(range.stop, stop)];
      if (from >= to) continue;
      stretch.fill(0, filled - start, from - start);
      reads.push(read(from, stretch.subarray(from - start, to - start)));
      filled = to;
    }
    stretch.fill(0, filled - start);
  }
  return reads;
}
