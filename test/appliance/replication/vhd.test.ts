// What QEMU makes of a staging blob: the disk, to the byte, in an image that it knows.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { openSource } from '../../../appliance/sources/open.ts';
import { fixedVhdFooter } from '../../../shared/model/vhd.ts';
import { OneDisk } from './oneDisk.ts';
import { Staging } from './staged.ts';

const MIB = 2 ** 20;
let staging: Staging;
let disk: OneDisk;
beforeAll(async () => {
  staging = await Staging.start();
});
beforeEach(() => {
  disk = new OneDisk();
});
afterEach(() => disk.close());
afterAll(() => staging.stop());

/** Whether two images show the same disk; beyond the end of the shorter one the other must be zero. */
function compare(vhd: string, raw: string): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('qemu-img', ['compare', '-f', 'vpc', '-F', 'raw', vhd, raw], {
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

it.each([
  ['of whole MiB', 9 * MIB],
  ['that is no multiple of anything', 6 * MIB + 12_345],
])('qemu-img reads the staging blob of a disk %s, and finds the source in it', async (_title, sizeBytes) => {
  const raw = join(staging.harness.dataDir, `${sizeBytes}.img`);
  const content = Buffer.alloc(sizeBytes);
  for (const [at, length] of [
    [0, 5000],
    [MIB + 777, 3 * MIB],
    [sizeBytes - 100, 100],
  ] as const)
    content.set(randomBytes(length), at);
  await writeFile(raw, content);
  const staged = await staging.stage(`disk-${sizeBytes}`, sizeBytes);
  const source = await openSource(raw);
  await disk.run(source, staged.target, disk.job(sizeBytes, 'all', 'initial'));
  await source.close();

  const vhd = await staged.download();
  expect(virtualSize(vhd)).toBe(Math.ceil(sizeBytes / MIB) * MIB);
  expect(compare(vhd, raw)).toMatchObject({
    status: 0,
    said: expect.stringContaining('Images are identical') as string,
  });
  content[MIB + 5000]! ^= 1;
  await writeFile(raw, content);
  expect(compare(vhd, raw)).toMatchObject({ status: 1, said: expect.stringContaining('mismatch') as string });
});

it('the size of a disk that no geometry can name is read from the footer', async () => {
  const size = 2 ** 40 + 3 * MIB;
  const vhd = join(staging.harness.dataDir, 'large.vhd');
  const file = await open(vhd, 'w');
  await file.write(fixedVhdFooter(size - 5), 0, 512, size);
  await file.close();
  expect(virtualSize(vhd)).toBe(size);
});

function virtualSize(vhd: string): number {
  const said = execFileSync('qemu-img', ['info', '--output=json', '-f', 'vpc', vhd], { encoding: 'utf8' });
  return z.object({ 'virtual-size': z.number() }).parse(JSON.parse(said))['virtual-size'];
}
