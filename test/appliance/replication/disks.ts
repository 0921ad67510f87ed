// Disks with file systems, made without mounting: where their files' data lies, it may be overwritten, and the file system
// stays as whole as it was.
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Range } from '../../../appliance/replication/blocks.ts';
import { guestCode } from '../../shared/hosts/guest.ts';
import { run } from '../nbd/servers.ts';

export interface Disk {
  path: string;
  sizeBytes: number;
  /** Where it may be written. */
  writable: Range[];
  /** Throws unless the file system in an image, or its only partition, is whole. */
  check(image: string): void;
}

export type Layout = 'ext4' | 'xfs' | 'partitioned';

const MIB = 2 ** 20;
const dataBytes = 3_000_000;

export function makeDisk(layout: Layout, folder: string): Disk {
  mkdirSync(folder, { recursive: true });
  if (layout === 'ext4') return ext4(folder);
  if (layout === 'xfs') return xfs(folder);
  return partitioned(folder);
}

function ext4(folder: string): Disk {
  const path = join(folder, 'ext4.img');
  const root = join(folder, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'data'), randomBytes(dataBytes));
  run('mke2fs', '-q', '-t', 'ext4', '-b', '1024', '-d', root, path, '9M');
  const blocks = run('debugfs', '-R', 'blocks /data', path).trim().split(/\s+/).map(Number);
  return {
    path,
    sizeBytes: 9 * MIB,
    writable: blocks.map((block) => ({ start: block * 1024, stop: (block + 1) * 1024 })),
    check: (image) => void run('e2fsck', '-f', '-n', image),
  };
}

function xfs(folder: string): Disk {
  const path = join(folder, 'xfs.img');
  const data = join(folder, 'data');
  writeFileSync(data, randomBytes(dataBytes));
  writeFileSync(join(folder, 'proto'), `none\n0 0\nd--755 0 0\ndata ---644 0 0 ${data}\n$\n`);
  writeFileSync(path, '');
  truncateSync(path, 24 * MIB);
  // With these three, mkfs.xfs makes file systems that are smaller than 300 MiB.
  const env = { ...process.env, TEST_DIR: '1', TEST_DEV: '1', QA_CHECK_FS: '1' };
  execFileSync('mkfs.xfs', ['-q', '-p', join(folder, 'proto'), path], { env });
  const map = run('xfs_db', '-r', '-c', 'path /data', '-c', 'bmap', path);
  const writable = [...map.matchAll(/startblock (\d+) \S+ count (\d+)/g)].map(([, start, count]) => ({
    start: Number(start) * 4096,
    stop: (Number(start) + Number(count)) * 4096,
  }));
  return {
    path,
    sizeBytes: 24 * MIB,
    writable,
    check: (image) => void run('xfs_repair', '-n', '-f', '-o', 'force_geometry', image),
  };
}

/**
 * An MBR, an ext4 file system in the first partition, and a second one that nobody has formatted; the end is odd. A machine
 * that boots it writes between them all the time.
 */
function partitioned(folder: string): Disk {
  const inner = ext4(folder);
  const [first, second] = [MIB, 11 * MIB];
  const sizeBytes = 13 * MIB + 512 * 77;
  const mbr = Buffer.alloc(sizeBytes);
  const entry = (at: number, start: number, bytes: number): void => {
    mbr[at + 4] = 0x83;
    mbr.writeUInt32LE(start / 512, at + 8);
    mbr.writeUInt32LE(Math.floor(bytes / 512), at + 12);
  };
  entry(446, first, inner.sizeBytes);
  entry(462, second, sizeBytes - second);
  mbr.set(guestCode);
  mbr.writeUInt16LE(0xaa55, 510);
  mbr.set(readFileSync(inner.path), first);
  const path = join(folder, 'partitioned.img');
  writeFileSync(path, mbr);
  return {
    path,
    sizeBytes,
    writable: [
      ...inner.writable.map(({ start, stop }) => ({ start: start + first, stop: stop + first })),
      { start: second, stop: sizeBytes },
    ],
    check(image) {
      const partition = `${image}.partition`;
      writeFileSync(partition, readFileSync(image).subarray(first, first + inner.sizeBytes));
      inner.check(partition);
    },
  };
}
