import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blockBytes } from '../../../appliance/replication/blocks.ts';
import { Buffers } from '../../../appliance/replication/buffers.ts';
import { type Copy, copyDisk, verifyDisk } from '../../../appliance/replication/copyDisk.ts';
import { Ledger } from '../../../appliance/replication/ledger.ts';
import { Store } from '../../../appliance/state/store.ts';
import { Crash, FakeTarget } from './fakeTarget.ts';

// Three whole blocks and a short one.
const size = 3 * blockBytes + 3 * 512;
let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'copy-'));
  store = Store.open(folder);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function copyOf(source: Buffer, target: FakeTarget, onDone: Copy['onDone'] = () => {}, disk = 'os'): Copy {
  const ledger = new Ledger(store, 'wave/web', disk, source.length);
  return {
    read: async (buffer, offset, length) => {
      await new Promise(setImmediate);
      source.copy(buffer, 0, offset, offset + length);
    },
    sizeBytes: source.length,
    target,
    ledger,
    buffers: new Buffers(4, blockBytes),
    signal: new AbortController().signal,
    onDone,
  };
}

async function sync(copy: Copy, mode: 'written' | 'all' = 'written'): Promise<string> {
  await copyDisk(copy);
  await verifyDisk(copy, mode);
  return copy.ledger.root();
}

it('ships only what is not zero, and a second sync of the same content nothing', async () => {
  const source = Buffer.alloc(size);
  source.fill(1, blockBytes + 100, blockBytes + 200);
  source.fill(2, size - 1);
  const target = new FakeTarget(size);
  const root = await sync(copyOf(source, target));
  expect(target.bytes.equals(source)).toBe(true);
  expect([target.puts, target.clears, target.putBytes]).toEqual([2, 0, 65_536 + 3 * 512]);
  expect(await sync(copyOf(source, target))).toBe(root);
  expect(target.puts).toBe(2);
});

it('clears what became zero on the source', async () => {
  const source = Buffer.alloc(size, 5);
  const target = new FakeTarget(size);
  await sync(copyOf(source, target));
  source.fill(0, 0, blockBytes);
  await sync(copyOf(source, target));
  expect(target.bytes.equals(source)).toBe(true);
  expect(target.pages.subarray(0, blockBytes / 512).includes(1)).toBe(false);
});

it('a lost manifest means that everything is written anew and stale data is cleared', async () => {
  const source = Buffer.alloc(size);
  source.fill(9, 0, 1000);
  const target = new FakeTarget(size);
  target.bytes.fill(3);
  target.pages.fill(1);
  await sync(copyOf(source, target));
  expect(target.bytes.equals(source)).toBe(true);
});

it('a disk whose size is no multiple of 512 is padded with zeros', async () => {
  const source = Buffer.alloc(blockBytes + 700, 4);
  const target = new FakeTarget(blockBytes + 1024);
  await sync(copyOf(source, target), 'all');
  expect(target.bytes.subarray(0, source.length).equals(source)).toBe(true);
  expect(target.bytes.subarray(source.length).every((byte) => byte === 0)).toBe(true);
});

it('a block that arrived damaged is found and shipped again', async () => {
  const source = Buffer.alloc(size, 6);
  const target = new FakeTarget(size);
  const copy = copyOf(source, target);
  await copyDisk(copy);
  target.bytes[blockBytes + 5] = 0;
  await verifyDisk(copy, 'written');
  expect(target.bytes.equals(source)).toBe(true);
});

it('reading back everything finds damage in blocks that this sync did not touch', async () => {
  const source = Buffer.alloc(size, 6);
  const target = new FakeTarget(size);
  await sync(copyOf(source, target));
  target.bytes[5] = 0;
  await sync(copyOf(source, target), 'written');
  expect(target.bytes[5]).toBe(0);
  await sync(copyOf(source, target), 'all');
  expect(target.bytes[5]).toBe(6);
});

it('a blob that keeps differing fails the sync and names the bytes', async () => {
  const source = Buffer.alloc(size, 6);
  const target = new FakeTarget(size);
  const put = target.put.bind(target);
  target.put = async (offset, data) => {
    await put(offset, data);
    if (offset === blockBytes) target.bytes[offset] = 0;
  };
  const range = `${blockBytes}-${2 * blockBytes - 1}`;
  await expect(sync(copyOf(source, target))).rejects.toMatchObject({
    code: 'verificationFailed',
    message: expect.stringContaining(range) as string,
  });
});

it('after a crash shipped blocks are not shipped again, unless the source has changed', async () => {
  const source = Buffer.alloc(size, 8);
  const target = new FakeTarget(size);
  target.writesLeft = 2;
  const dying: Copy = copyOf(source, target, () => dying.ledger.flush());
  await expect(copyDisk(dying)).rejects.toBeInstanceOf(Crash);
  target.writesLeft = Infinity;
  const known = [0, 1, 2, 3].filter((index) => new Ledger(store, 'wave/web', 'os', size).isKnown(index));
  expect(known.length).toBeGreaterThan(0);
  target.puts = 0;
  source.fill(1, known[0]! * blockBytes, known[0]! * blockBytes + 10);
  await sync(copyOf(source, target));
  expect(target.bytes.equals(source)).toBe(true);
  expect(target.puts).toBe(4 - known.length + 1);
});

it('whatever is written between syncs and wherever they crash, the blob ends equal to the source', async () => {
  const write = fc.record({
    page: fc.nat(size / 512 - 1),
    pages: fc.integer({ min: 1, max: 3000 }),
    value: fc.integer({ min: 0, max: 1 }),
  });
  const round = fc.record({
    writes: fc.array(write, { maxLength: 3 }),
    crashAfter: fc.option(fc.nat(6), { nil: undefined }),
    flushEvery: fc.integer({ min: 1, max: 4 }),
    mode: fc.constantFrom('written' as const, 'all' as const),
  });
  let disk = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 6 }), async (rounds) => {
      const source = Buffer.alloc(size);
      const target = new FakeTarget(size);
      const id = `disk-${disk++}`;
      for (const { writes, crashAfter = Infinity, flushEvery, mode } of [...rounds, ...rounds.slice(0, 1)]) {
        for (const { page, pages, value } of writes) source.subarray(page * 512, (page + pages) * 512).fill(value);
        target.writesLeft = crashAfter;
        let done = 0;
        const copy: Copy = copyOf(source, target, () => ++done % flushEvery === 0 && copy.ledger.flush(), id);
        try {
          await sync(copy, mode);
          copy.ledger.flush();
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          continue;
        }
        expect(target.bytes.equals(source)).toBe(true);
      }
      target.writesLeft = Infinity;
      await sync(copyOf(source, target, () => {}, id));
      expect(target.bytes.equals(source)).toBe(true);
    }),
    // Failures are not made smaller and slow machines stop earlier: each round copies a whole disk.
    { numRuns: 25, endOnFailure: true, interruptAfterTimeLimit: 8000 },
  );
});
