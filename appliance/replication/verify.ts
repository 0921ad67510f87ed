// The proof that the staging blob holds what was read of the source: chunks are read back from it and hashed. What differs
// is sent again at once, and the sync fails all the same: something has damaged data, and somebody should know.
import { randomInt } from 'node:crypto';
import type { Verification } from '../../shared/model/settings.ts';
import { messageOf } from '../log.ts';
import { Problem } from '../problem.ts';
import { Allocation } from './allocation.ts';
import { blockRange, chunkBytes, joinRanges, type Range, rangesOf } from './blocks.ts';
import { totalOf } from './compare.ts';
import { type Copy, shipParts } from './copyDisk.ts';
import { digestParts } from './digestParts.ts';
import { type Digests, hashOf, partOf, roomFor } from './hashing.ts';
import type { Mark } from './lanes.ts';
import { type Part, theseBlocks } from './plan.ts';

const leastSample = 16;
const sampledShare = 0.02;
const mostNamed = 50;

/** Reads back and compares, from the mark on; resolves with the version of the blob for which it holds. */
export async function verifyDisk(copy: Copy, mode: Verification, mark: Mark): Promise<string> {
  const { target, ledger, signal } = copy;
  const version = await target.version(signal);
  const damaged: Damage[] = [];
  const still: Damage[] = [];
  let failure: unknown;
  try {
    await readBack(copy, chosenBlocks(copy, mode, mark.position), mode === 'written', version, damaged, mark);
  } catch (error) {
    if (damaged.length === 0) throw error;
    failure = error;
  }
  if (damaged.length === 0) return version;

  // Whatever else fails: they are known to be wrong, and somebody has to know.
  const blocks = [...new Set(damaged.map(({ block }) => block))].sort((a, b) => a - b);
  await ledger.forget(blocks);
  try {
    if (failure === undefined) {
      await shipParts(copy, theseBlocks(copy.source, copy.diskBytes, blocks), new Allocation(target, copy.diskBytes));
      await readBack(copy, blocks, false, await target.version(signal), still);
      await ledger.forget(still.map(({ block }) => block));
    }
  } catch (error) {
    failure = error;
  }
  const after =
    failure !== undefined
      ? `These are sent again next, for it was interrupted: ${messageOf(failure)}`
      : `These were sent again, and ${still.length === 0 ? 'are equal now.' : `differ still at bytes ${named(still)}.`}`;
  throw new Problem(
    'verificationFailed',
    `The staging blob held something else than was written, at bytes ${named(damaged)}. ${after}`,
    'Make sure that nothing else writes to the staging blob, then start the sync again.',
  );
}

interface Damage {
  block: number;
  range: Range;
}

const named = (damaged: readonly Damage[]): string => {
  const ranges = joinRanges(damaged.map(({ range }) => range)).map(({ start, stop }) => `${start}-${stop - 1}`);
  const more = ranges.length - mostNamed;
  return ranges.slice(0, mostNamed).join(', ') + (more > 0 ? ` and ${more} more ranges` : '');
};

async function readBack(
  copy: Copy,
  blocks: Iterable<number>,
  onlyUnread: boolean,
  version: string,
  damaged: Damage[],
  mark?: Mark,
): Promise<void> {
  const { target, memory, signal, onDone } = copy;
  await digestParts({
    parts: storedParts(copy, blocks, onlyUnread),
    memory,
    signal,
    ...(mark && { mark }),
    read: (offset, buffer, either) => target.read(offset, buffer, version, either),
    async use(part, digests) {
      damaged.push(...check(copy, part, digests));
      onDone({ verified: totalOf(part.compared) });
    },
  });
}

/** What of these blocks is read back. Where the blob holds no pages it reads as zeros, and needs not be read. */
async function* storedParts(copy: Copy, blocks: Iterable<number>, onlyUnread: boolean): AsyncGenerator<Part> {
  const { target, diskBytes, ledger, signal } = copy;
  const allocation = new Allocation(target, diskBytes);
  for (const block of blocks) {
    const unread = ledger.get(block)?.unread ?? 0n;
    const compared = onlyUnread ? rangesOf(unread, block) : [blockRange(block, diskBytes)];
    yield { block, compared, read: (await allocation.holdsData(block, signal)) ? compared : [] };
  }
}

/** Compares what was read back of one block with what is known of it; returns the chunks that differ. */
function check({ ledger, diskBytes }: Copy, { block, compared }: Part, found: Digests): Damage[] {
  const expected = ledger.get(block);
  if (!expected) throw new Error(`nothing is known of block ${block}`);
  const whole = blockRange(block, diskBytes);
  const held = roomFor(whole.stop - whole.start);
  held.chunks.set(expected.chunks);
  const damaged: Damage[] = [];
  let read = 0n;
  let at = 0;
  for (const range of compared)
    for (let { start } = range; start < range.stop; start += chunkBytes) {
      const chunk = (start - whole.start) / chunkBytes;
      const hash = hashOf(found, at++);
      if (Buffer.compare(hash, hashOf(expected, chunk)) !== 0)
        damaged.push({ block, range: { start, stop: start + chunkBytes } });
      partOf(held, chunk, 1).chunks.set(hash);
      read |= 1n << BigInt(chunk);
    }
  ledger.confirm(block, held, read);
  return damaged;
}

function chosenBlocks({ ledger }: Copy, mode: Verification, first: number): Iterable<number> {
  if (mode === 'written') return ledger.unread(first);
  return draw(first, ledger.blocks, mode === 'all' ? 1 : sampledShare);
}

/** So many of the blocks in order, each as likely as any other (Knuth, The Art of Computer Programming 2, 3.4.2, S). */
function* draw(first: number, stop: number, share: number): Generator<number> {
  let wanted = Math.max(leastSample, Math.ceil((stop - first) * share));
  for (let block = first; block < stop; block++) {
    const left = stop - block;
    if (wanted < left && randomInt(left) >= wanted) continue;
    wanted--;
    yield block;
    if (wanted === 0) return;
  }
}
