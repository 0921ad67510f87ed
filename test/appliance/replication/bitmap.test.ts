import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openWithBitmap, refusing } from '../../../appliance/replication/bitmap.ts';
import { blockBytes, chunkBytes, lengthOf, pieceBytes, type Range } from '../../../appliance/replication/blocks.ts';
import { loadJobs, progressOf } from '../../../appliance/replication/job.ts';
import { Stopping } from '../../../appliance/problem.ts';
import type { DiskSource } from '../../../appliance/sources/source.ts';
import { vhdDiskSizeOf } from '../../../shared/model/vhd.ts';
import { scripted } from '../nbd/scripted.ts';
import { Crash, FakeTarget } from './fakeTarget.ts';
import { MemorySource } from './memorySource.ts';
import { OneDisk } from './oneDisk.ts';

let disk: OneDisk;
beforeEach(() => {
  disk = new OneDisk();
});
afterEach(() => disk.close());

/** A source whose bitmap tells the given ranges. */
class TrackedSource extends MemorySource {
  readonly changed: NonNullable<DiskSource['changed']>;

  constructor(bytes: Buffer, dirty: readonly Range[]) {
    super(bytes);
    this.changed = async function* ({ start, stop }) {
      for (const range of dirty)
        if (range.start < stop && range.stop > start)
          yield { start: Math.max(start, range.start), stop: Math.min(stop, range.stop) };
    };
  }

  get readBytes(): number {
    return this.reads.reduce((sum, range) => sum + lengthOf(range), 0);
  }
}

// 1536 chunks: many more than are drawn to be looked at.
const size = 24 * blockBytes;
const audited = 256 * chunkBytes;

it('reads and writes only what the bitmap tells, beside a sample of the rest', async () => {
  const source = Buffer.alloc(size);
  source.set(randomBytes(10 * chunkBytes), blockBytes);
  const target = new FakeTarget(size);
  await disk.run(new MemorySource(source), target);
  const dirty = { start: blockBytes + 3 * chunkBytes, stop: blockBytes + 5 * chunkBytes };
  source[dirty.start + 70_000] = 1;
  target.touched = [];
  const tracked = new TrackedSource(source, [dirty]);
  const job = disk.job(size);
  const { root } = await disk.run(tracked, target, job);
  const piece = blockBytes + 4 * chunkBytes + pieceBytes;
  expect(target.touched).toEqual([{ start: piece, stop: piece + pieceBytes }]);
  expect(tracked.readBytes).toBe(2 * chunkBytes + audited);
  expect(progressOf(job, 'os').by).toBe('bitmap');
  expect(disk.refused).toEqual([]);
  expect((await disk.run(new MemorySource(source), target)).root).toBe(root);
});

it('reads blocks of which nothing is known whole, whatever the bitmap says of them', async () => {
  const source = Buffer.alloc(size, 1, 'latin1');
  const target = new FakeTarget(size);
  await disk.run(new MemorySource(source), target);
  await disk.ledger(size).forget([3, 4]);
  target.bytes.fill(9, 3 * blockBytes, 5 * blockBytes);
  const tracked = new TrackedSource(source, [{ start: 5 * blockBytes - 1, stop: 5 * blockBytes + 1 }]);
  await disk.run(tracked, target);
  expect(target.bytes.equals(source)).toBe(true);
  expect(tracked.readBytes).toBe(2 * blockBytes + chunkBytes + audited);
});

/** A disk of which a bitmap tells one change and not the other, small enough for every chunk to be looked at. */
async function lied() {
  const source = Buffer.alloc(2 * blockBytes);
  const target = new FakeTarget(source.length);
  await disk.run(new MemorySource(source), target);
  source[blockBytes + chunkBytes] = 1;
  source[77] = 1;
  const tracked = new TrackedSource(source, [{ start: 0, stop: chunkBytes }]);
  return { source, target, tracked, untold: `it does not tell a change at byte ${blockBytes + chunkBytes}` };
}

it('a bitmap that does not tell of changes is found out, refused, and all of the disk compared', async () => {
  const { source, target, tracked } = await lied();
  const job = disk.job(source.length);
  await disk.run(tracked, target, job);
  expect(target.bytes.equals(source)).toBe(true);
  expect(disk.refused).toEqual([`it does not tell a change at byte ${blockBytes + chunkBytes}`]);
  expect(progressOf(job, 'os').by).toBe('manifest');
});

it('a bitmap is doubted at once and for good, also where the process is stopped before the blob is read back', async () => {
  const { source, target, tracked, untold } = await lied();
  const job = disk.job(source.length);
  const stopped = new AbortController();
  // It is being read back until the sync is stopped, which is as soon as the bitmap is doubted.
  target.beforeRead = async () => {
    await vi.waitUntil(() => disk.refused.length > 0);
    stopped.abort(new Stopping('stopped'));
  };
  await expect(disk.run(tracked, target, job, stopped.signal)).rejects.toThrow('stopped');
  expect(disk.refused).toEqual([untold]);
  const kept = loadJobs(disk.store).find(({ operationId }) => operationId === job.operationId);
  expect(kept?.disks['os']).toMatchObject({ phase: 'copy', by: 'manifest' });
  target.beforeRead = async () => {};
  // All is compared, although nothing is looked at by chance any more.
  const { root, targetRoot } = await disk.run(new MemorySource(source), target, job);
  expect(target.bytes.equals(source)).toBe(true);
  expect(targetRoot).toBe(root);
});

it('an untold change is shipped also where the blob is damaged, which fails the sync all the same', async () => {
  const { source, target, tracked, untold } = await lied();
  target.damageOnce();
  await expect(disk.run(tracked, target)).rejects.toMatchObject({ code: 'verificationFailed' });
  expect(disk.refused).toEqual([untold]);
  expect(target.bytes.equals(source)).toBe(true);
});

it('damage is named and repaired while the bitmap is looked at', async () => {
  const { source, target } = await lied();
  const all = new TrackedSource(source, [{ start: 0, stop: source.length }]);
  target.damageOnce();
  await expect(disk.run(all, target)).rejects.toMatchObject({ code: 'verificationFailed' });
  expect(target.bytes.equals(source)).toBe(true);
  expect(disk.refused).toEqual([]);
});

it('damage is named also where the source fails beside it, and the next sync repairs it', async () => {
  const { source, target } = await lied();
  // Too much to be read back together with the first block.
  source.fill(1, blockBytes);
  const all = [{ start: 0, stop: source.length }];
  const failing = new TrackedSource(source, all);
  target.damageOnce();
  // The second block is not read back before the source has failed.
  target.beforeRead = async (offset, signal) => {
    if (offset >= blockBytes && !signal.aborted) await once(signal, 'abort');
  };
  failing.checkSize = async () => {
    await vi.waitUntil(
      () => Number(disk.store.get('SELECT count(*) AS n FROM held WHERE source <> target')?.['n']) > 0,
    );
    throw new Error('the source is gone');
  };
  await expect(disk.run(failing, target)).rejects.toMatchObject({
    code: 'verificationFailed',
    message: expect.stringMatching(/at bytes 0-65535\. .* interrupted: the source is gone$/),
  });
  target.beforeRead = async () => {};
  const { root, targetRoot } = await disk.run(new TrackedSource(source, []), target);
  expect(target.bytes.equals(source)).toBe(true);
  expect(targetRoot).toBe(root);
});

it('a bitmap that goes away while a sync is interrupted is not gone on with', async () => {
  const source = Buffer.alloc(8 * blockBytes);
  const target = new FakeTarget(source.length);
  await disk.run(new MemorySource(source), target);
  for (let block = 0; block < 8; block++) source[block * blockBytes] = 1;
  const all = [{ start: 0, stop: source.length }];
  const job = disk.job(source.length);
  const stopped = new AbortController();
  target.put = async (offset, data) => {
    await FakeTarget.prototype.put.call(target, offset, data);
    stopped.abort(new Error('stopped'));
  };
  await expect(disk.run(new TrackedSource(source, all), target, job, stopped.signal)).rejects.toThrow('stopped');
  const rest = new MemorySource(source);
  await disk.run(rest, target, job);
  expect(disk.refused).toEqual(['it has gone in the middle of the sync']);
  expect(rest.reads[0]?.start).toBe(0);
  expect(target.bytes.equals(source)).toBe(true);
});

it('only a bitmap that counts from our own last point is believed', async () => {
  const contexts = ['base:allocation', 'qemu:dirty-bitmap:a', 'qemu:dirty-bitmap:b'];
  const server = await scripted({ size: BigInt(size), contexts, option: selected(contexts) });
  const warn = vi.fn();
  const opened = async (since: string | undefined, changed: { context: string; since: string } | undefined) => {
    const job = { ...disk.job(size), ...(since !== undefined && { since }) };
    const entry = { diskId: 'os', path: server.uri, sizeBytes: size, blobName: 'os.vhd', ...(changed && { changed }) };
    const source = await openWithBitmap(job, entry, refusing(job, 'os', { info: () => {}, warn }));
    await source.close();
    return { isUsed: source.changed !== undefined, why: progressOf(job, 'os').bitmapRefused };
  };
  const context = 'qemu:dirty-bitmap:a';
  expect(await opened('s1', { context, since: 's1' })).toEqual({ isUsed: true, why: undefined });
  expect(await opened('s1', undefined)).toEqual({ isUsed: false, why: undefined });
  expect(warn).not.toHaveBeenCalled();
  expect(await opened('s2', { context, since: 's1' })).toEqual({
    isUsed: false,
    why: 'qemu:dirty-bitmap:a counts from sync s1, and the last point here is of sync s2',
  });
  expect(await opened(undefined, { context, since: 's1' })).toMatchObject({
    why: 'qemu:dirty-bitmap:a counts from sync s1, and there is no point here to trust',
  });
  expect(await opened('s1', { context: 'qemu:dirty-bitmap:c', since: 's1' })).toEqual({
    isUsed: false,
    why: 'the export has no qemu:dirty-bitmap:c, only qemu:dirty-bitmap:a, qemu:dirty-bitmap:b',
  });
  expect(warn).toHaveBeenCalledTimes(3);
  await server.stop();
});

/** Selects of the contexts those that are asked for, as real servers do; lists those of QEMU. */
function selected(contexts: string[]) {
  return (code: number, asked: Buffer): Buffer | undefined => {
    if (code !== 9 && code !== 10) return undefined;
    const query = asked.toString('latin1');
    const named = contexts.filter((name) => (code === 9 ? name.startsWith('qemu:') : query.includes(name)));
    return Buffer.concat([...named.map((name, id) => contextReply(code, id + 1, name)), contextReply(code)]);
  };
}

function contextReply(code: number, id?: number, name = ''): Buffer {
  const header = Buffer.alloc(20);
  header.writeBigUInt64BE(0x3e889045565a9n);
  header.writeUInt32BE(code, 8);
  header.writeUInt32BE(id === undefined ? 1 : 4, 12);
  if (id === undefined) return header;
  header.writeUInt32BE(4 + name.length, 16);
  const number = Buffer.alloc(4);
  number.writeUInt32BE(id);
  return Buffer.concat([header, number, Buffer.from(name)]);
}

it('no change is missed, whatever becomes of bitmaps and processes', async () => {
  const small = 2 * blockBytes + 54_321;
  const write = fc.record({ at: fc.nat(small - 1), length: fc.integer({ min: 1, max: 200_000 }), value: fc.nat(2) });
  const round = fc.record({
    writes: fc.array(write, { maxLength: 4 }),
    bitmap: fc.constantFrom('exact' as const, 'older' as const, 'lost' as const, 'cleared' as const, 'half' as const),
    crashAfter: fc.option(fc.nat(5), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 6 }), async (rounds) => {
      const own = new OneDisk();
      const target = new FakeTarget(vhdDiskSizeOf(small));
      const source = Buffer.alloc(small);
      target.onDeath = () => own.die();
      // What was written since the last point, and all that ever was.
      let dirty: Range[] = [];
      const ever: Range[] = [];
      try {
        await own.run(new MemorySource(source), target);
        for (const { writes, bitmap, crashAfter = Infinity } of rounds) {
          for (const { at, length, value } of writes) {
            source.subarray(at, at + length).fill(value);
            const range = { start: at, stop: Math.min(at + length, small) };
            dirty.push(range);
            ever.push(range);
          }
          const told = { exact: dirty, older: ever, cleared: [], half: dirty.slice(1), lost: undefined }[bitmap];
          target.writesLeft = crashAfter;
          try {
            await own.run(told ? new TrackedSource(source, told) : new MemorySource(source), target);
            expect(target.bytes.subarray(0, small).equals(source)).toBe(true);
            dirty = [];
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
            own.restart();
          }
        }
      } finally {
        own.close();
      }
    }),
    { numRuns: 10, endOnFailure: true },
  );
}, 60_000);
