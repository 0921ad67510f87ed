// Those who judge whether a staging blob is equal to its disk, and whole: they must be able to say no.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRaw } from '../../../appliance/sources/raw.ts';
import { type Layout, makeDisk } from './disks.ts';
import { compareImages } from './machines.ts';
import { OneDisk } from './oneDisk.ts';
import { Staging } from './staged.ts';

let staging: Staging;
let folder: string;
beforeAll(async () => {
  staging = await Staging.start();
  folder = mkdtempSync(join(tmpdir(), 'judges-'));
});
afterAll(async () => {
  await staging.stop();
  rmSync(folder, { recursive: true, force: true });
});

function spoil(path: string, at: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  writeSync(file, Buffer.of(byte[0]! ^ 1), 0, 1, at);
  closeSync(file);
}

it('qemu-img sees a byte that differs, the first one and the last one', async () => {
  const disk = makeDisk('partitioned', join(folder, 'compared'));
  const staged = await staging.stage('compared', disk.sizeBytes);
  const one = new OneDisk();
  const source = await openRaw(disk.path);
  await one.run(source, staged.target);
  await source.close();
  one.close();
  const vhd = await staged.download();
  const judge = () => compareImages(vhd, { image: disk.path, format: 'raw' }).status;
  expect(judge()).toBe(0);
  for (const at of [0, disk.sizeBytes - 1]) {
    spoil(vhd, at);
    expect(judge()).toBe(1);
    spoil(vhd, at);
  }
  expect(judge()).toBe(0);
});

// Where each layout keeps what its checker cannot do without: the superblock's count of inodes, of blocks.
it.each<[Layout, number]>([
  ['ext4', 1024],
  ['xfs', 15],
  ['partitioned', 2 ** 20 + 1024],
])('the checker of %s passes a whole file system and refuses a spoiled one', (layout, at) => {
  const disk = makeDisk(layout, join(folder, layout));
  disk.check(disk.path);
  spoil(disk.path, at);
  expect(() => disk.check(disk.path)).toThrow(/Command failed/);
});
