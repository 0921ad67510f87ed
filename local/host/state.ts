// What the host remembers between runs: hashes of keys, timer schedules, its name among the owners of leases. Names and JSON values.
import type { DatabaseSync } from 'node:sqlite';
import { GroupCommit, openDatabase } from '../sqlite.ts';

export class HostState {
  readonly #writer: GroupCommit;

  constructor(path: string) {
    const database = openAlone(path);
    database.exec('CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');
    // Earlier versions kept these keys in clear.
    database.exec("DELETE FROM state WHERE name IN ('key.host', 'key.durable', 'key.eventGrid')");
    this.#writer = new GroupCommit(database);
  }

  get(name: string): unknown {
    const row = this.#writer.database.prepare('SELECT value FROM state WHERE name = ?').get(name);
    return row ? JSON.parse(String(row['value'])) : undefined;
  }

  /** Resolves when the value is on disk. */
  async set(name: string, value: unknown): Promise<void> {
    await this.#writer.write((database) => {
      database.prepare('INSERT OR REPLACE INTO state VALUES (?, ?)').run(name, JSON.stringify(value));
    });
  }

  close(): void {
    this.#writer.close();
  }
}

/**
 * Opens the database for one host at a time: two would serve the same timers and take each other's keys. The lock is
 * the operating system's and ends with the process.
 */
function openAlone(path: string): DatabaseSync {
  try {
    const database = openDatabase(path);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
    return database;
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('locked'))) throw error;
    throw new Error(`${path} is in use by another host. Stop it first, or choose another folder.`, { cause: error });
  }
}
