import { constants } from 'node:fs';
import { type FileHandle, open, readFile, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { Problem } from '../problem.ts';

export interface OpenDisk {
  file: FileHandle;
  sizeBytes: number;
}

/** Opens a raw image or block device for reading and finds out how large it is. */
export async function openDisk(path: string): Promise<OpenDisk> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY);
  } catch (error) {
    throw new Problem(
      'diskUnreadable',
      `The disk ${path} can't be opened: ${String(error)}`,
      'Check the path in the inventory and give the appliance the right to read it.',
      { cause: error },
    );
  }
  try {
    const found = await file.stat();
    if (found.isFile()) return { file, sizeBytes: found.size };
    if (found.isBlockDevice()) return { file, sizeBytes: await deviceSize(path) };
    throw new Error('it is neither a file nor a block device');
  } catch (error) {
    await file.close();
    throw new Problem(
      'diskUnreadable',
      `The disk ${path} can't be read: ${String(error)}`,
      'Name a raw image file or a block device.',
      { cause: error },
    );
  }
}

/** Linux counts a block device in sectors of 512 bytes, whatever the hardware has: https://docs.kernel.org/block/stat.html */
async function deviceSize(path: string): Promise<number> {
  const name = basename(await realpath(path));
  return Number((await readFile(`/sys/class/block/${name}/size`, 'utf8')).trim()) * 512;
}

/** Opens the disk and reads its first sector; the reason why not, or the size. */
export async function probeDisk(path: string): Promise<{ sizeBytes: number; problem?: string }> {
  try {
    const { file, sizeBytes } = await openDisk(path);
    try {
      await file.read(Buffer.alloc(512), 0, 512, 0);
      return { sizeBytes };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { sizeBytes: 0, problem: error instanceof Error ? error.message : String(error) };
  }
}
