// Makes a staging blob equal to a source, block by block: reads and hashes everything, ships what the blob is not known
// to hold, then reads back what was shipped. A few blocks are in flight at a time.
import { createHash } from 'node:crypto';
import { Problem } from '../problem.ts';
import { blockRange, inPages, isZero, joinBlocks, runsOf, touchedBlocks } from './blocks.ts';
import type { Buffers } from './buffers.ts';
import type { Ledger } from './ledger.ts';
import type { Target } from './target.ts';

/** Reads exactly `length` bytes at `offset` into the buffer. */
export type ReadSource = (buffer: Buffer, offset: number, length: number) => Promise<void>;

export interface Copy {
  read: ReadSource;
  sizeBytes: number;
  target: Target;
  ledger: Ledger;
  buffers: Buffers;
  signal: AbortSignal;
  /** Told about every piece of work as it is done. */
  onDone(done: { compared?: number; changed?: number; verified?: number }): void;
}

const inFlight = 4;

/** Ships every block that the blob is not known to hold. */
export async function copyDisk(copy: Copy): Promise<void> {
  const { ledger, target, sizeBytes, signal } = copy;
  // Only where nothing is known it must be asked whether zeros have to be cleared or are there already.
  const touched = ledger.hasGaps()
    ? touchedBlocks(await target.allocated(inPages(sizeBytes), signal), sizeBytes)
    : new Uint8Array(ledger.blocks);
  const all = Array.from({ length: ledger.blocks }, (_, index) => index);
  await eachBlock(all, signal, (index, stop) => shipBlock(copy, index, touched[index] === 1, stop));
}

/** Reads blocks back and compares them with what was shipped; what differs is shipped once more. */
export async function verifyDisk(copy: Copy, mode: 'written' | 'all'): Promise<void> {
  const { ledger, sizeBytes, signal } = copy;
  const wanted = mode === 'all' ? Array.from({ length: ledger.blocks }, (_, index) => index) : ledger.written();
  const first = await differing(copy, wanted);
  for (const index of first) ledger.forget(index);
  await eachBlock(first, signal, (index, stop) => shipBlock(copy, index, true, stop));
  const still = await differing(copy, first);
  if (still.length === 0) return ledger.markVerified();
  for (const index of still) ledger.forget(index);
  const ranges = joinBlocks(still, sizeBytes).map(({ start, stop }) => `${start}-${stop - 1}`);
  throw new Problem(
    'verificationFailed',
    `The staging blob differs from what was written, also after a second write, at bytes ${ranges.slice(0, 50).join(', ')}.`,
    'Check that nothing else writes to the staging blob, then retry.',
  );
}

async function shipBlock(copy: Copy, index: number, mayHoldData: boolean, signal: AbortSignal): Promise<void> {
  const { read, sizeBytes, target, ledger, buffers, onDone } = copy;
  const { start, stop } = blockRange(index, sizeBytes);
  const length = stop - start;
  await buffers.use(async (buffer) => {
    signal.throwIfAborted();
    await read(buffer, start, length);
    const digest = createHash('sha256').update(buffer.subarray(0, length)).digest();
    if (!ledger.holds(index, digest)) {
      const block = buffer.subarray(0, inPages(length)).fill(0, length);
      const clears = mayHoldData || ledger.isKnown(index);
      if (!clears && isZero(block)) ledger.settle(index, digest, false);
      else {
        ledger.forget(index);
        for (const run of runsOf(block)) {
          if (run.zero && !clears) continue;
          if (run.zero) await target.clear(start + run.start, run.stop - run.start, signal);
          else await target.put(start + run.start, block.subarray(run.start, run.stop), signal);
          onDone({ changed: run.stop - run.start });
        }
        ledger.settle(index, digest, true);
      }
    }
    onDone({ compared: length });
  });
}

async function differing({ target, ledger, sizeBytes, signal, onDone }: Copy, indexes: number[]): Promise<number[]> {
  const found: number[] = [];
  await eachBlock(indexes, signal, async (index, stopping) => {
    const { start, stop } = blockRange(index, sizeBytes);
    const digest = await target.digestOf(start, stop - start, stopping);
    if (!ledger.hashOf(index).equals(digest)) found.push(index);
    onDone({ verified: stop - start });
  });
  return found;
}

/** Works on several blocks at a time; ends only when none is in flight any more, also on failure. */
async function eachBlock(
  indexes: readonly number[],
  signal: AbortSignal,
  work: (index: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = indexes[next++]; index !== undefined; index = indexes[next++]) {
      either.throwIfAborted();
      await work(index, either);
    }
  };
  const lanes = Array.from({ length: Math.min(inFlight, indexes.length) }, () =>
    lane().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  if (signal.aborted) throw signal.reason;
  if (failed.signal.aborted) throw failed.signal.reason;
}
