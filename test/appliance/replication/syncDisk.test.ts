import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blockBytes, chunkBytes, pieceBytes } from '../../../appliance/replication/blocks.ts';
import { vhdDiskSizeOf } from '../../../shared/model/vhd.ts';
import { Crash, FakeTarget } from './fakeTarget.ts';
import { HoleySource, MemorySource } from './memorySource.ts';
import { OneDisk } from './oneDisk.ts';

const MIB = 2 ** 20;
// Two whole blocks and a short one, which ends nowhere in particular.
const size = 2 * blockBytes + 12_345;
const diskBytes = vhdDiskSizeOf(size);

let disk: OneDisk;
let target: FakeTarget;
beforeEach(() => {
  disk = new OneDisk();
  target = new FakeTarget(diskBytes);
});
afterEach(() => disk.close());

const sync = (bytes: Buffer) => disk.run(new MemorySource(bytes), target);

function expectEqual(source: Buffer): void {
  expect(target.bytes.subarray(0, source.length).equals(source)).toBe(true);
  expect(target.bytes.subarray(source.length).every((byte) => byte === 0)).toBe(true);
}

it('ships only what is not zero, and a second sync of the same content nothing', async () => {
  const source = Buffer.alloc(size);
  source.fill(1, blockBytes + 100, blockBytes + 200);
  source.fill(2, size - 1);
  const first = await sync(source);
  expectEqual(source);
  expect([target.puts, target.clears, target.putBytes]).toEqual([2, 0, 2 * pieceBytes]);
  expect(first).toMatchObject({ read: size, changed: 2 * pieceBytes, verified: 2 * chunkBytes });
  expect(first.targetRoot).toBe(first.root);
  expect(await sync(source)).toMatchObject({ root: first.root, read: size, changed: 0, verified: 0 });
  expect(target.puts).toBe(2);
});

it('writes the pieces that changed, clears what became zero, and leaves the rest alone', async () => {
  const source = randomBytes(size);
  await sync(source);
  target.touched = [];
  source.fill(0, 0, blockBytes);
  source[blockBytes + 5 * pieceBytes]! ^= 1;
  await sync(source);
  expectEqual(source);
  expect(target.touched.sort((a, b) => a.start - b.start)).toEqual([
    { start: 0, stop: blockBytes },
    { start: blockBytes + 5 * pieceBytes, stop: blockBytes + 6 * pieceBytes },
  ]);
  expect(target.pages.subarray(0, blockBytes / 512).includes(1)).toBe(false);
});

it('what the source says is empty is not read, and becomes zero on the blob', async () => {
  const source = Buffer.alloc(size);
  source.fill(3, 0, blockBytes);
  await sync(source);
  source.fill(0, pieceBytes, blockBytes);
  const memory = new HoleySource(source);
  const second = await disk.run(memory, target);
  expectEqual(source);
  expect(memory.reads).toEqual([{ start: 0, stop: pieceBytes }]);
  expect(second).toMatchObject({ read: pieceBytes, changed: blockBytes - pieceBytes });
});

it('a lost manifest means that everything is written anew and stale data is cleared', async () => {
  const source = Buffer.alloc(size);
  source.fill(9, 0, 1000);
  target.bytes.fill(3);
  target.pages.fill(1);
  await sync(source);
  expectEqual(source);
});

it('the memory of a copy is the same whatever the size of the disk', async () => {
  let lent = 0;
  let most = 0;
  const source = new MemorySource(Buffer.alloc(20 * blockBytes));
  const read = source.read.bind(source);
  source.read = async (offset, buffer) => {
    lent += buffer.length;
    most = Math.max(most, lent);
    await read(offset, buffer);
    lent -= buffer.length;
  };
  await disk.run(source, new FakeTarget(20 * blockBytes));
  expect(most).toBeGreaterThan(2 * blockBytes);
  expect(most).toBeLessThanOrEqual(8 * blockBytes);
});

it('a disk that grows or shrinks while it is read fails the sync', async () => {
  const source = new MemorySource(randomBytes(size));
  Object.assign(source, { bytes: Buffer.concat([source.bytes, Buffer.alloc(512)]) });
  await expect(disk.run(source, target)).rejects.toMatchObject({
    code: 'diskSizeChanged',
    message: `The disk disk has ${size + 512} bytes, and ${size} were planned.`,
  });
});

const blocks = 16;

/** Runs a sync that is stopped after four writes, and then the process that goes on with it. */
async function resumed(kind: 'delta' | 'final') {
  const source = new MemorySource(Buffer.alloc(blocks * blockBytes));
  for (let block = 0; block < blocks; block++) source.bytes[block * blockBytes] = 7;
  const blob = new FakeTarget(blocks * blockBytes);
  const job = disk.job(source.sizeBytes, 'written', kind);
  const stopped = new AbortController();
  blob.put = async (offset, data) => {
    await FakeTarget.prototype.put.call(blob, offset, data);
    if (blob.puts === 4) stopped.abort(new Error('stopped'));
  };
  await expect(disk.run(source, blob, job, stopped.signal)).rejects.toThrow('stopped');
  source.reads = [];
  const { changed } = await disk.run(source, blob, job);
  expect(blob.bytes.equals(source.bytes)).toBe(true);
  return { changed, blocksRead: source.reads.length };
}

it('a process that goes on reads only what the one before it has not shipped', async () => {
  const { changed, blocksRead } = await resumed('delta');
  expect(changed).toBe(blocks * pieceBytes);
  expect(blocksRead).toBeGreaterThan(0);
  expect(blocksRead).toBeLessThanOrEqual(blocks - 4);
});

it('a final sync that goes on compares all of the disk again, for the source may have been restarted', async () => {
  expect(await resumed('final')).toEqual({ changed: blocks * pieceBytes, blocksRead: blocks });
});

it('a block that a crash cut off in the middle of a change is written anew, even if the source has changed back', async () => {
  const source = Buffer.alloc(size, 1);
  await sync(source);
  target.writesLeft = 1;
  target.onDeath = () => disk.die();
  for (const at of [0, 2 * MIB]) source[at] = 2;
  await expect(sync(source)).rejects.toBeInstanceOf(Crash);
  disk.restart();
  target.writesLeft = Infinity;
  source.fill(1);
  await sync(source);
  expectEqual(source);
});

it('whatever is written between syncs and wherever they crash, the blob ends equal to the source', async () => {
  const write = fc.record({
    // A few places, so that content often comes back.
    at: fc.oneof(fc.constantFrom(0, 2 * MIB, blockBytes, size - 5000), fc.nat(size - 1)),
    length: fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 2 * MIB })),
    value: fc.integer({ min: 0, max: 2 }),
  });
  const round = fc.record({
    writes: fc.array(write, { maxLength: 4 }),
    crashAfter: fc.option(fc.nat(8), { nil: undefined }),
    holes: fc.boolean(),
    mode: fc.constantFrom('written' as const, 'sample' as const, 'all' as const),
    resumes: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 6 }), async (rounds) => {
      const own = new OneDisk();
      const blob = new FakeTarget(diskBytes);
      const source = Buffer.alloc(size);
      blob.onDeath = () => own.die();
      let job = own.job(size);
      try {
        for (const { writes, crashAfter = Infinity, mode, holes, resumes } of [...rounds, lastRound]) {
          // A process that goes on reads the same frozen copy; a new sync what has been written since.
          if (!resumes || job.disks['os'] === undefined) {
            for (const { at, length, value } of writes) source.subarray(at, at + length).fill(value);
            job = own.job(size, mode);
          }
          blob.writesLeft = crashAfter;
          try {
            const { root, targetRoot } = await own.run(
              holes ? new HoleySource(source) : new MemorySource(source),
              blob,
              job,
            );
            expect(targetRoot).toBe(root);
            expect(blob.bytes.subarray(0, size).equals(source)).toBe(true);
            expect(blob.bytes.subarray(size).every((byte) => byte === 0)).toBe(true);
            job = own.job(size, mode);
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
            own.restart();
            job = { ...job, disks: own.stored(job)?.disks ?? {} };
          }
        }
      } finally {
        own.close();
      }
    }),
    // Failures are not made smaller: each round copies a whole disk.
    { numRuns: 10, endOnFailure: true },
  );
}, 60_000);

const lastRound = { writes: [], crashAfter: Infinity, mode: 'written' as const, holes: false, resumes: false };
