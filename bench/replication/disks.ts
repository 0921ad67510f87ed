// The disks that are copied: so much of them random data, in stretches of 16 MiB spread over the whole disk; the rest holes.
import { randomFillSync } from 'node:crypto';
import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

const stretch = 16 << 20;

/** Makes a sparse raw disk and returns how many bytes of data it holds. */
export function makeDisk(path: string, bytes: number, share: number): number {
  const file = openSync(path, 'w');
  ftruncateSync(file, bytes);
  const data = Buffer.allocUnsafe(stretch);
  let written = 0;
  for (let at = 0; at + stretch <= bytes; at += stretch) {
    if (Math.floor((at / stretch + 1) * share) === Math.floor((at / stretch) * share)) continue;
    randomFillSync(data);
    writeSync(file, data, 0, stretch, at);
    written += stretch;
  }
  fdatasyncSync(file);
  closeSync(file);
  return written;
}

/** Drops a file from the page cache: posix_fadvise(2) with POSIX_FADV_DONTNEED, as dd(1) offers it. */
export function makeCold(path: string): void {
  const { status, stderr } = spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`dd could not drop ${path} from the cache: ${stderr}`);
}
