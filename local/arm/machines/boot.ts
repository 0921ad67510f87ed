// The second honest way to run a machine: its OS disk must hold a Linux root filesystem. No kernel is started. The
// bytes are read: partition table, ext4 superblock, and a file that every Linux has.
import { type FileHandle, open } from 'node:fs/promises';
import { Filesystem } from './filesystem.ts';

const sector = 512;
const protective = 0xee;

/** The root filesystem of a disk image, or why it would not boot. */
export async function findRoot(image: string): Promise<{ offset: number } | { reason: string }> {
  const file = await open(image, 'r');
  try {
    const offsets = [0, ...(await partitions(file))];
    let sawFilesystem = false;
    for (const offset of offsets) {
      if (!(await hasExt4(file, offset))) continue;
      sawFilesystem = true;
      const filesystem = new Filesystem(image, offset);
      for (const proof of ['/etc/os-release', '/etc/hostname']) {
        if ((await filesystem.find(proof))?.kind === 'file') return { offset };
      }
    }
    if (sawFilesystem) return { reason: 'its ext4 filesystem holds neither /etc/os-release nor /etc/hostname' };
    if (offsets.length > 1) return { reason: 'none of its partitions holds an ext4 superblock' };
    return { reason: 'it holds neither a partition table nor an ext4 superblock' };
  } finally {
    await file.close();
  }
}

/** Where the partitions begin, in bytes: GPT behind a protective entry, else the four primary entries of the MBR. */
async function partitions(file: FileHandle): Promise<number[]> {
  const mbr = await bytes(file, 0, sector);
  if (mbr.length < sector || mbr.readUInt16LE(510) !== 0xaa55) return [];
  const entries = [446, 462, 478, 494].map((at) => ({ type: mbr[at + 4] ?? 0, first: mbr.readUInt32LE(at + 8) }));
  if (entries.some(({ type }) => type === protective)) return gptPartitions(file);
  return entries.filter(({ type, first }) => type !== 0 && first !== 0).map(({ first }) => first * sector);
}

async function gptPartitions(file: FileHandle): Promise<number[]> {
  const header = await bytes(file, sector, sector);
  if (header.length < sector || header.toString('latin1', 0, 8) !== 'EFI PART') return [];
  const table = Number(header.readBigUInt64LE(72)) * sector;
  const count = Math.min(128, header.readUInt32LE(80));
  const size = header.readUInt32LE(84);
  if (size < 128 || size > 4096) return [];
  const found: number[] = [];
  for (let index = 0; index < count; index++) {
    const entry = await bytes(file, table + index * size, 128);
    if (entry.length === 128 && !entry.subarray(0, 16).every((byte) => byte === 0)) {
      found.push(Number(entry.readBigUInt64LE(32)) * sector);
    }
  }
  return found;
}

/** The superblock lies 1024 bytes in; its magic 0xEF53 at 56. https://docs.kernel.org/filesystems/ext4/globals.html */
async function hasExt4(file: FileHandle, offset: number): Promise<boolean> {
  const magic = await bytes(file, offset + 1024 + 56, 2);
  return magic.length === 2 && magic.readUInt16LE(0) === 0xef53;
}

async function bytes(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
