// Raw images and block devices, opened for reading and nothing else.
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { Problem } from '../problem.ts';
import { type DiskSource, sizeChanged } from './source.ts';

class RawSource implements DiskSource {
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #file: FileHandle;

  constructor(path: string, file: FileHandle, sizeBytes: number) {
    this.#path = path;
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, buffer: Uint8Array): Promise<void> {
    for (let at = 0; at < buffer.length; ) {
      const { bytesRead } = await this.#file
        .read(buffer, at, buffer.length - at, offset + at)
        .catch((error: unknown) => {
          throw new Problem(
            'diskUnreadable',
            `The disk ${this.#path} can't be read at byte ${offset + at}: ${String(error)}`,
            'Check the disk’s health on the source, then retry.',
            { cause: error },
          );
        });
      if (bytesRead === 0) throw sizeChanged(this.#path, this.sizeBytes, offset + at);
      at += bytesRead;
    }
  }

  async checkSize(): Promise<void> {
    const now = await sizeOf(this.#path, this.#file);
    if (now !== this.sizeBytes) throw sizeChanged(this.#path, this.sizeBytes, now);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Opens a raw image or block device for reading and finds out how large it is. */
export async function openRaw(path: string): Promise<DiskSource> {
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
    return new RawSource(path, file, await sizeOf(path, file));
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

async function sizeOf(path: string, file: FileHandle): Promise<number> {
  const found = await file.stat();
  if (found.isFile()) return found.size;
  if (found.isBlockDevice()) return deviceSize(path);
  throw new Error('it is neither a file nor a block device');
}

/** Linux counts a block device in sectors of 512 bytes, whatever the hardware has: https://docs.kernel.org/block/stat.html */
async function deviceSize(path: string): Promise<number> {
  const name = basename(await realpath(path));
  return Number((await readFile(`/sys/class/block/${name}/size`, 'utf8')).trim()) * 512;
}
