// The one file with secrets in clear: host.key in the data directory, readable by its owner only. It holds the master
// key, which somebody has to be able to look up, and a secret from which the system keys are derived: their clear values
// stand in URLs that the host builds, and must be the same after a restart.
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Secrets = z.object({ master: z.string().min(1), derivation: z.string().min(1) });

/** A new key, impossible to guess. */
export const newKey = (): string => randomBytes(32).toString('base64url');

export class KeyFile {
  readonly #path: string | undefined;
  #secrets: z.infer<typeof Secrets>;

  /** Without a directory, everything is new and lost with the process. */
  constructor(directory: string | undefined) {
    this.#path = directory && join(directory, 'host.key');
    if (this.#path !== undefined && existsSync(this.#path)) {
      this.#secrets = this.#read(this.#path);
    } else {
      this.#secrets = { master: newKey(), derivation: newKey() };
      this.#write();
    }
  }

  get master(): string {
    return this.#secrets.master;
  }

  replaceMaster(master: string): void {
    this.#secrets = { ...this.#secrets, master };
    this.#write();
  }

  /** The same key for the same name and generation, as long as the file lives. */
  derive(name: string, generation: number): string {
    return createHmac('sha256', this.#secrets.derivation).update(`${name}/${generation}`).digest('base64url');
  }

  #read(path: string): z.infer<typeof Secrets> {
    try {
      return Secrets.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch (error) {
      throw new Error(`${path} cannot be read; without it, remove the file and all keys are new: ${String(error)}`, {
        cause: error,
      });
    }
  }

  #write(): void {
    if (this.#path === undefined) return;
    mkdirSync(join(this.#path, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#path}.new`, JSON.stringify(this.#secrets), { mode: 0o600, flush: true });
    renameSync(`${this.#path}.new`, this.#path);
  }
}
