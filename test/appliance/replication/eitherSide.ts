// The life of a disk of any size whose syncs are cut off on either side, at any moment: the appliance is killed, storage goes
// down in the middle of a request, the source fails while it is read and may come back with writes lost and without its bitmap.
import fc from 'fast-check';
import { expect } from 'vitest';
import { blockBytes, blockRange, chunkBytes, pieceBytes } from '../../../appliance/replication/blocks.ts';
import { digest, roomFor } from '../../../appliance/replication/hashing.ts';
import { vhdDiskSizeOf } from '../../../shared/model/vhd.ts';
import { Crash, FakeTarget } from './fakeTarget.ts';
import { HoleySource, MemorySource } from './memorySource.ts';
import { OneDisk } from './oneDisk.ts';

const MIB = 2 ** 20;

/** Most of them no multiple of anything, some beside what the engine counts in. */
const sizes = fc.oneof(
  fc.integer({ min: 1, max: blockBytes + 2 * MIB }),
  fc
    .tuple(fc.constantFrom(512, pieceBytes, chunkBytes, MIB, blockBytes), fc.integer({ min: -1, max: 1 }))
    .map(([unit, beside]) => unit + beside),
);

const part = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const write = fc.record({ at: part, length: fc.integer({ min: 1, max: 300_000 }), value: fc.nat(2) });
const end = fc.oneof(
  fc.record({ kind: fc.constant('runs' as const) }),
  fc.record({
    kind: fc.constantFrom('applianceIsKilled' as const, 'storageGoesDown' as const, 'sourceFails' as const),
    after: fc.nat(4),
  }),
);
const round = fc.record({
  writes: fc.array(write, { maxLength: 4 }),
  tells: fc.constantFrom('nothing' as const, 'holes' as const, 'changes' as const),
  end,
  /** Whether a source that has failed comes back without what was written since the last sync. */
  losesWrites: fc.boolean(),
  resumes: fc.boolean(),
});
type Round = typeof round extends fc.Arbitrary<infer T> ? T : never;
const lastRound: Round = { writes: [], tells: 'nothing', end: { kind: 'runs' }, losesWrites: false, resumes: false };

/** Storage that goes down in the middle of a request, of which it keeps the first half. */
export class TornTarget extends FakeTarget {
  putsLeft = Infinity;

  override async put(offset: number, data: Uint8Array): Promise<void> {
    if (this.putsLeft-- > 0) return super.put(offset, data);
    const kept = Math.floor(data.length / 1024) * 512;
    if (kept > 0) await super.put(offset, data.subarray(0, kept));
    throw new Failure('storage is down');
  }
}

class Failure extends Error {}

/** Throws unless every sync that ends well leaves both sides equal, and what is known of the blob is true after every round. */
export async function surviveEitherSide(numRuns: number, makeTarget = (size: number) => new TornTarget(size)) {
  await fc.assert(
    fc.asyncProperty(sizes, fc.array(round, { minLength: 2, maxLength: 6 }), async (size, rounds) => {
      const own = new OneDisk();
      try {
        await live(own, makeTarget(vhdDiskSizeOf(size)), size, [...rounds, lastRound]);
      } finally {
        own.close();
      }
    }),
    // Failures are not made smaller: each round copies a whole disk.
    { numRuns, endOnFailure: true },
  );
}

async function live(own: OneDisk, blob: TornTarget, size: number, rounds: readonly Round[]): Promise<void> {
  const source = Buffer.alloc(size);
  blob.onDeath = () => own.die();
  let job = own.job(size);
  /** What was written since the last point; undefined where nobody knows any more. */
  let dirty: { start: number; stop: number }[] | undefined;
  for (const { writes, tells, end: ends, losesWrites, resumes } of rounds) {
    const before = Buffer.from(source);
    // A process that goes on reads the same frozen copy; a new sync what has been written since.
    if (!resumes || job.disks['os'] === undefined) {
      for (const { at, length, value } of writes) {
        const start = Math.floor(at * size);
        source.subarray(start, start + length).fill(value);
        dirty?.push({ start, stop: Math.min(size, start + length) });
      }
      job = own.job(size, 'all');
    }
    const disk = tells === 'holes' ? new HoleySource(source) : new MemorySource(source);
    const known = dirty;
    if (tells === 'changes' && known) Object.assign(disk, { changed: () => inTurn(known) });
    let readsLeft = ends.kind === 'sourceFails' ? ends.after : Infinity;
    const read = disk.read.bind(disk);
    disk.read = async (offset, buffer) => {
      if (readsLeft-- <= 0) throw new Failure('the source is gone');
      await read(offset, buffer);
    };
    blob.writesLeft = ends.kind === 'applianceIsKilled' ? ends.after : Infinity;
    blob.putsLeft = ends.kind === 'storageGoesDown' ? ends.after : Infinity;
    try {
      const { root, targetRoot } = await own.run(disk, blob, job);
      expect(targetRoot).toBe(root);
      expect(blob.bytes.subarray(0, size).equals(source)).toBe(true);
      expect(blob.bytes.subarray(size).every((byte) => byte === 0)).toBe(true);
      dirty = [];
      job = own.job(size, 'all');
    } catch (error) {
      if (error instanceof Crash) {
        own.restart();
        job = { ...job, disks: own.stored(job)?.disks ?? {} };
      } else if (error instanceof Failure) job = own.job(size, 'all');
      else throw error;
      if (ends.kind === 'sourceFails') dirty = undefined;
      if (ends.kind === 'sourceFails' && losesWrites) before.copy(source);
    }
    expectTrue(own, blob);
  }
}

async function* inTurn<T>(things: readonly T[]): AsyncGenerator<T> {
  yield* things;
}

/** What is durably known of the blob is what it holds. */
function expectTrue(own: OneDisk, blob: FakeTarget): void {
  const ledger = own.ledger(blob.bytes.length);
  for (let block = 0; block < ledger.blocks; block++) {
    const entry = ledger.get(block);
    if (!entry) continue;
    const { start, stop } = blockRange(block, blob.bytes.length);
    const held = roomFor(stop - start);
    digest(blob.bytes.subarray(start, stop), held);
    expect(Buffer.from(held.chunks).equals(Buffer.from(entry.chunks))).toBe(true);
  }
}
