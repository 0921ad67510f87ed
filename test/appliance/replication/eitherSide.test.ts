import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blockBytes } from '../../../appliance/replication/blocks.ts';
import { openRaw } from '../../../appliance/sources/raw.ts';
import { vhdDiskSizeOf } from '../../../shared/model/vhd.ts';
import { surviveEitherSide, TornTarget } from './eitherSide.ts';
import { FakeTarget } from './fakeTarget.ts';
import { OneDisk } from './oneDisk.ts';

it('whatever the size of a disk, and whichever side fails at whatever moment, a sync that ends well has made them equal', async () => {
  await surviveEitherSide(8);
}, 60_000);

it('a blob that loses a write which it has acknowledged is found out: the property can fail', async () => {
  class Forgetful extends TornTarget {
    override async put(offset: number, data: Uint8Array): Promise<void> {
      await super.put(offset, data);
      if (this.puts === 3) this.bytes.fill(0, offset, offset + 512);
    }
  }
  await expect(surviveEitherSide(50, (size) => new Forgetful(size))).rejects.toThrow(/Property failed/);
}, 60_000);

it('a disk that is truncated or grows while it is read is refused with both sizes, and copied once it is as planned', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'resized-'));
  const path = join(folder, 'disk.img');
  const sizes = fc.integer({ min: 1, max: blockBytes + 100_000 });
  await fc.assert(
    fc.asyncProperty(sizes, sizes, fc.nat(1), async (size, other, reads) => {
      fc.pre(size !== other);
      const content = Buffer.alloc(size, 7);
      writeFileSync(path, content);
      const target = new FakeTarget(vhdDiskSizeOf(size));
      const own = new OneDisk();
      const source = await openRaw(path);
      try {
        const read = source.read.bind(source);
        let left = reads;
        source.read = async (offset, buffer, signal) => {
          if (left-- === 0) resize(path, other);
          await read(offset, buffer, signal);
        };
        const ended = own.run(source, target);
        // Where it has fewer blocks than that, it keeps its size.
        if (Math.ceil(size / blockBytes) <= reads) await ended;
        else
          await expect(ended).rejects.toMatchObject({
            code: 'diskSizeChanged',
            message: `The disk ${path} has ${other} bytes, and ${size} were planned.`,
          });
        writeFileSync(path, content);
        source.read = read;
        await own.run(source, target);
        expect(target.bytes.subarray(0, size).equals(content)).toBe(true);
      } finally {
        await source.close();
        own.close();
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
  rmSync(folder, { recursive: true });
}, 60_000);

function resize(path: string, size: number): void {
  const file = openSync(path, 'r+');
  ftruncateSync(file, size);
  closeSync(file);
}
