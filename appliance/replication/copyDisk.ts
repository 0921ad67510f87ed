// Makes a staging blob equal to a source: ships what the blob is not known to hold.
import type { DiskSource } from '../sources/source.ts';
import type { Allocation } from './allocation.ts';
import { compareBlock, totalOf } from './compare.ts';
import { digestParts } from './digestParts.ts';
import type { Digests } from './hashing.ts';
import { allDone, type Mark } from './lanes.ts';
import type { Ledger } from './ledger.ts';
import type { Part } from './plan.ts';
import type { Share } from './slots.ts';
import type { Target } from './target.ts';

export interface Copy {
  source: DiskSource;
  /** Size of the disk in the staging blob: the source’s, zero-filled to whole MiB. */
  diskBytes: number;
  target: Target;
  ledger: Ledger;
  memory: Share;
  signal: AbortSignal;
  /** Told about every piece of work as it is done, in bytes. */
  onDone(done: Done): void;
}

export interface Done {
  compared?: number;
  read?: number;
  changed?: number;
  verified?: number;
}

/** Compares the parts and ships what differs; blocks below the mark need no second look. */
export function shipParts(copy: Copy, parts: AsyncIterable<Part>, allocation: Allocation, mark?: Mark): Promise<void> {
  const { source, memory, signal, onDone } = copy;
  return digestParts({
    parts,
    memory,
    signal,
    ...(mark && { mark }),
    async read(offset, buffer, either) {
      await source.read(offset, buffer, either);
      onDone({ read: buffer.length });
    },
    use: (part, digests, bytes, either) => shipPart(copy, part, allocation, digests, bytes, either),
  });
}

async function shipPart(
  { diskBytes, target, ledger, onDone }: Copy,
  { block, compared }: Part,
  allocation: Allocation,
  found: Digests,
  bytes: Buffer | undefined,
  signal: AbortSignal,
): Promise<void> {
  const before = ledger.get(block);
  const mayHoldData = before === undefined && (await allocation.holdsData(block, signal));
  const changed = compareBlock(block, diskBytes, compared, found, before, mayHoldData);
  if (changed) {
    if (before) await ledger.forget([block]);
    const write = async ({ start, stop, from }: (typeof changed.writes)[number]): Promise<void> => {
      if (from === undefined) await target.clear(start, stop - start, signal);
      else if (bytes) await target.put(start, bytes.subarray(from, from + stop - start), signal);
      onDone({ changed: stop - start });
    };
    await allDone(changed.writes.map(write));
    ledger.settle(block, changed.after, changed.after.unread);
  }
  onDone({ compared: totalOf(compared) });
}
