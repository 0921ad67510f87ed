// Layer files: the bytes. A layer is a sparse file that holds pages at their offsets in the blob; it is written until a
// snapshot or a copy seals it, and from then on only read. Which pages of which layer a blob shows is told by its
// extents, so a snapshot moves no bytes and stale bytes in a layer are never seen.
import { existsSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { constants, type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isPageMemory } from './pageMemory.ts';

interface Opened {
  handle: Promise<FileHandle>;
  /** The same file past the page cache; undefined where that does not work. */
  direct?: Promise<FileHandle | undefined>;
  users: number;
  syncing?: Promise<void> | undefined;
  nextSync?: Promise<void> | undefined;
}

type Mode = 'create' | 'existing';

const MAX_OPEN = 256;
const filePage = 4096;
const sector = 512;

export class Layers {
  readonly #folder: string;
  #opened = new Map<number, Opened>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Writes at an offset. Not durable before `sync` of the same layer has resolved. */
  write(layer: number, chunks: Buffer[], position: number): Promise<void> {
    return this.#use(layer, 'create', async (opened) => {
      const expected = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      const [bytes] = chunks;
      // Whole pages of the file, so that nobody else's bytes are in them.
      const isWhole = bytes && chunks.length === 1 && position % filePage === 0 && isPageMemory(bytes, filePage);
      if (
        isWhole &&
        (await this.#direct(layer, opened, (file) => file.write(bytes, 0, bytes.length, position))) === bytes.length
      )
        return;
      const { bytesWritten } = await (await opened.handle).writev(chunks, position);
      if (bytesWritten !== expected) throw new Error(`Only ${bytesWritten} of ${expected} bytes fit on the disk`);
    });
  }

  /** Fills `target` from an offset. */
  read(layer: number, target: Buffer, position: number): Promise<void> {
    return this.#use(layer, 'existing', async (opened) => {
      const { length } = target;
      const isWhole = position % sector === 0 && isPageMemory(target, sector);
      if (isWhole && (await this.#direct(layer, opened, (file) => file.read(target, 0, length, position))) === length)
        return;
      const { bytesRead } = await (await opened.handle).read(target, 0, length, position);
      if (bytesRead !== length) throw new Error(`Layer ${layer} ends before ${position + length}`);
    });
  }

  /** Makes everything durable that was written before the call. Calls that wait together share one fdatasync. */
  sync(layer: number): Promise<void> {
    return this.#use(layer, 'existing', (opened) => {
      const start = (): Promise<void> => {
        opened.nextSync = undefined;
        opened.syncing = opened.handle
          .then((handle) => handle.datasync())
          .finally(() => {
            opened.syncing = undefined;
          });
        return opened.syncing;
      };
      if (!opened.syncing) return start();
      // The running fdatasync may have begun before our write: wait for the one after it.
      opened.nextSync ??= opened.syncing.then(start, start);
      return opened.nextSync;
    });
  }

  async remove(layer: number): Promise<void> {
    const opened = this.#opened.get(layer);
    this.#opened.delete(layer);
    if (opened) await closeBoth(opened);
    if (existsSync(this.#path(layer))) await unlink(this.#path(layer));
  }

  /** Removes what a crash has left: files of layers that nothing refers to. */
  removeAllBut(known: Set<number>): void {
    for (const name of readdirSync(this.#folder)) if (!known.has(Number(name))) unlinkSync(join(this.#folder, name));
  }

  async close(): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    for (const each of opened) await closeBoth(each);
  }

  async #use<T>(layer: number, mode: Mode, work: (opened: Opened) => Promise<T>): Promise<T> {
    const opened = this.#opened.get(layer) ?? { handle: this.#open(layer, mode), users: 0 };
    // Delete and set: the map's order is the order of last use.
    this.#opened.delete(layer);
    this.#opened.set(layer, opened);
    opened.users++;
    try {
      await opened.handle;
      return await work(opened);
    } catch (error) {
      // A handle that could not be opened must not be found again.
      await opened.handle.catch(() => this.#opened.delete(layer));
      throw error;
    } finally {
      opened.users--;
      if (this.#opened.size > MAX_OPEN) await this.#closeOldest();
    }
  }

  /** Moves bytes past the page cache, which the kernel keeps true, and says how many; undefined where that does not work. */
  async #direct(
    layer: number,
    opened: Opened,
    move: (file: FileHandle) => Promise<{ bytesRead: number } | { bytesWritten: number }>,
  ): Promise<number | undefined> {
    opened.direct ??= open(this.#path(layer), constants.O_RDWR | constants.O_DIRECT).catch(() => undefined);
    const file = await opened.direct;
    if (!file) return undefined;
    try {
      const moved = await move(file);
      return 'bytesRead' in moved ? moved.bytesRead : moved.bytesWritten;
    } catch (error) {
      // Some file systems accept the flag and then no such request.
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      return undefined;
    }
  }

  // Only a write makes a file: a read that comes after a deletion must fail and leave nothing behind.
  async #open(layer: number, mode: Mode): Promise<FileHandle> {
    const path = this.#path(layer);
    const isNew = mode === 'create' && !existsSync(path);
    const handle = await open(path, constants.O_RDWR | (mode === 'create' ? constants.O_CREAT : 0), 0o600);
    if (isNew) await syncFolder(this.#folder);
    return handle;
  }

  async #closeOldest(): Promise<void> {
    for (const [layer, opened] of this.#opened) {
      if (opened.users > 0) continue;
      this.#opened.delete(layer);
      await closeBoth(opened);
      return;
    }
  }

  #path(layer: number): string {
    return join(this.#folder, String(layer));
  }
}

async function closeBoth({ handle, direct }: Opened): Promise<void> {
  await (await direct)?.close();
  await (await handle).close();
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
