// Raw images and block devices, opened for reading and nothing else. What can be is read past the page cache: the cache of
// a block device does not see what a file system on it has written since, reading a whole disk through it would push out
// what the source works with, and it costs most of the time.
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { Problem } from '../problem.ts';
import { type DiskSource, sizeChanged } from './source.ts';

/** Direct reads begin and end on sectors, on the disk and in memory. */
const sector = 512;
const memoryPage = 4096;

class RawSource implements DiskSource {
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #file: FileHandle;
  /** The same past the page cache; undefined where the file system does not know how. */
  #direct: FileHandle | undefined;

  constructor(path: string, file: FileHandle, direct: FileHandle | undefined, sizeBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#direct = direct;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, buffer: Uint8Array): Promise<void> {
    let at = 0;
    // An image may end in the middle of a sector.
    const whole = buffer.length - (buffer.length % sector);
    if (isAligned(offset, buffer)) at = await this.#readDirect(offset, buffer.subarray(0, whole));
    while (at < buffer.length) {
      const bytesRead = await this.#readSome(this.#file, offset + at, buffer.subarray(at));
      if (bytesRead === 0) throw sizeChanged(this.#path, this.sizeBytes, await sizeOf(this.#path, this.#file));
      at += bytesRead;
    }
  }

  async checkSize(): Promise<void> {
    const now = await sizeOf(this.#path, this.#file);
    if (now !== this.sizeBytes) throw sizeChanged(this.#path, this.sizeBytes, now);
  }

  async close(): Promise<void> {
    await this.#direct?.close();
    await this.#file.close();
  }

  /** How much could be read this way. */
  async #readDirect(offset: number, buffer: Uint8Array): Promise<number> {
    for (let at = 0; ; ) {
      if (!this.#direct || at === buffer.length || at % sector !== 0) return at;
      try {
        const bytesRead = await this.#readSome(this.#direct, offset + at, buffer.subarray(at));
        if (bytesRead === 0) return at;
        at += bytesRead;
      } catch (error) {
        // Some file systems accept the flag and then no such read.
        if (!(error instanceof Problem && (error.cause as NodeJS.ErrnoException).code === 'EINVAL')) throw error;
        return at;
      }
    }
  }

  async #readSome(file: FileHandle, offset: number, buffer: Uint8Array): Promise<number> {
    try {
      return (await file.read(buffer, 0, buffer.length, offset)).bytesRead;
    } catch (error) {
      throw new Problem(
        'diskUnreadable',
        `The disk ${this.#path} can't be read at byte ${offset}: ${String(error)}`,
        'Check the disk’s health on the source, then retry.',
        { cause: error },
      );
    }
  }
}

/** Memory that threads share begins on a page (`replication/sharedBlock.ts`); of other memory nobody knows. */
function isAligned(offset: number, { buffer, byteOffset }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer && offset % sector === 0 && byteOffset % memoryPage === 0;
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
    const sizeBytes = await sizeOf(path, file);
    const direct = await open(path, constants.O_RDONLY | constants.O_DIRECT).catch(() => undefined);
    return new RawSource(path, file, direct, sizeBytes);
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
