// The content of managed disks and snapshots: one sparse file each, named by the disk's unique id.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { open, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { badRequest, notSimulated } from '../http/errors.ts';
import { checkFooter, footerSize } from './vhd.ts';

/** Reads a page blob. The whole host decides where the bytes come from. */
export type OpenBlob = (url: string) => Promise<{ size: number; copyTo(path: string): Promise<void> }>;

const run = promisify(execFile);

export class DiskFiles {
  readonly #folder: string;
  readonly #openBlob: OpenBlob;

  constructor(folder: string, openBlob: OpenBlob) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#openBlob = openBlob;
  }

  path(uniqueId: string): string {
    if (!/^[0-9a-f-]{36}$/.test(uniqueId)) throw notSimulated('This disk has no content.');
    return join(this.#folder, `${uniqueId}.raw`);
  }

  /** Imports a fixed VHD and returns the size of the disk in it. Doing it again gives the same file. */
  async import(uniqueId: string, sourceUri: string): Promise<number> {
    const blob = await this.#openBlob(sourceUri).catch((thrown: unknown) => {
      throw badRequest('InvalidVhd', `The blob '${withoutQuery(sourceUri)}' cannot be read: ${String(thrown)}`);
    });
    return this.#whole(uniqueId, async (part) => {
      await blob.copyTo(part);
      const { size } = await stat(part);
      if (size !== blob.size)
        throw badRequest('InvalidVhd', `The blob has ${blob.size} bytes but ${size} were copied.`);
      const file = await open(part, 'r');
      try {
        const footer = Buffer.alloc(footerSize);
        if (size >= footerSize) await file.read(footer, 0, footerSize, size - footerSize);
        checkFooter(footer, size, withoutQuery(sourceUri));
      } finally {
        await file.close();
      }
      await truncate(part, size - footerSize);
    });
  }

  /** Copies another disk's content, keeping its holes, and returns its size. */
  copy(uniqueId: string, source: string): Promise<number> {
    return this.#whole(uniqueId, async (part) => {
      await run('cp', ['--sparse=always', '--reflink=auto', '--', this.path(source), part]);
    });
  }

  empty(uniqueId: string, bytes: number): Promise<number> {
    return this.#whole(uniqueId, async (part) => {
      await (await open(part, 'w', 0o600)).close();
      await truncate(part, bytes);
    });
  }

  /** Removes the content, if there is any: the disk of a machine that is a process has none. */
  async remove(uniqueId: string): Promise<void> {
    if (uniqueId) await rm(this.path(uniqueId), { force: true });
  }

  /** Makes a file under another name and moves it into place when it is whole and on disk. */
  async #whole(uniqueId: string, make: (part: string) => Promise<void>): Promise<number> {
    const path = this.path(uniqueId);
    const part = `${path}.part`;
    await rm(part, { force: true });
    try {
      await make(part);
      const file = await open(part, 'r+');
      await file.sync().finally(() => file.close());
      await rename(part, path);
    } finally {
      await rm(part, { force: true });
    }
    return (await stat(path)).size;
  }
}

/** A blob's address without its SAS, which must not reach an error text. */
const withoutQuery = (url: string): string => url.split('?')[0] ?? '';
