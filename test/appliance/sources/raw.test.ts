import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { allocateBlocks } from '../../../appliance/replication/sharedBlock.ts';
import { openSource } from '../../../appliance/sources/open.ts';
import type { DiskSource } from '../../../appliance/sources/source.ts';

const forEver = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'raw-'));
const path = join(folder, 'disk.img');
// It ends in the middle of a sector.
const content = randomBytes(3_000_077);
let source: DiskSource | undefined;

afterEach(() => source?.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function open(): Promise<DiskSource> {
  writeFileSync(path, content);
  source = await openSource(path);
  return source;
}

const memory = (): Buffer => {
  const [block] = allocateBlocks(1);
  if (!block) throw new Error('no memory');
  return block.data;
};

it('reads any stretch, into memory of threads or any other', async () => {
  const disk = await open();
  expect(disk.sizeBytes).toBe(content.length);
  for (const [offset, length] of [
    [0, 1 << 20],
    [512, 4096],
    [1, 3],
    [2_097_152, content.length - 2_097_152],
    [content.length - 1, 1],
  ] as const)
    for (const buffer of [Buffer.alloc(length), memory().subarray(0, length), memory().subarray(7, 7 + length)]) {
      await disk.read(offset, buffer, forEver);
      expect(buffer.equals(content.subarray(offset, offset + length))).toBe(true);
    }
});

it('reads past the page cache, and sees at once what others have written through it', async () => {
  const disk = await open();
  const flags = readdirSync('/proc/self/fd')
    .filter((fd) => isOpenAt(fd, path))
    .map((fd) =>
      Number.parseInt(/^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8),
    );
  expect(flags.some((each) => (each & constants.O_DIRECT) !== 0)).toBe(knowsDirect());
  expect(flags.every((each) => (each & 3) === constants.O_RDONLY)).toBe(true);
  const buffer = memory().subarray(0, 8192);
  await disk.read(4096, buffer, forEver);
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(100, 9), 0, 100, 5000);
  closeSync(file);
  await disk.read(4096, buffer, forEver);
  expect(buffer.subarray(904, 1004)).toEqual(Buffer.alloc(100, 9));
});

it('a disk that has become shorter or longer is refused, and one that cannot be opened says why', async () => {
  const disk = await open();
  truncateSync(path, 1 << 20);
  const shorter = { code: 'diskSizeChanged', message: expect.stringContaining(`has ${1 << 20} bytes`) as string };
  await expect(disk.read(0, memory().subarray(0, 2 << 20), forEver)).rejects.toMatchObject(shorter);
  await expect(disk.checkSize()).rejects.toMatchObject(shorter);
  truncateSync(path, content.length + 1);
  await expect(disk.checkSize()).rejects.toMatchObject({ code: 'diskSizeChanged' });
  await expect(openSource(join(folder, 'absent'))).rejects.toMatchObject({ code: 'diskUnreadable' });
  await expect(openSource(folder)).rejects.toThrow('it is neither a file nor a block device');
});

/** Whether the file system of temporary files can be read past the page cache at all. */
function knowsDirect(): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_DIRECT));
    return true;
  } catch {
    return false;
  }
}

function isOpenAt(fd: string, wanted: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === wanted;
  } catch {
    return false;
  }
}
