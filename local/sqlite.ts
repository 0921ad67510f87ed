// The one way that local parts keep state: SQLite, WAL, synchronous FULL, and one commit for everything that was
// written in the same turn of the event loop. Nothing may be acknowledged before its commit has returned.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** Opens (and creates) a database with the house's durability settings. `:memory:` is for tests. */
export function openDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;',
  );
  return database;
}

interface Waiter {
  resolve: () => void;
  reject: (reason: unknown) => void;
}

/**
 * Group commit over one connection with one writer.
 *
 * `write(work)` runs `work` at once inside the open transaction and resolves with its result after the COMMIT that all
 * writes of this event-loop turn share. A `work` that throws is rolled back alone (savepoint) and rejects alone.
 */
export class GroupCommit {
  readonly database: DatabaseSync;
  readonly #around: (commit: () => void) => void;
  #waiters: Waiter[] = [];
  #open = false;
  readonly #begin: StatementSync;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;

  /** `around` wraps every commit; when it throws, what was written is rolled back unless it had committed. */
  constructor(database: DatabaseSync, around: (commit: () => void) => void = (commit) => commit()) {
    this.database = database;
    this.#around = around;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    // Within one another the innermost of a name counts.
    this.#savepoint = database.prepare('SAVEPOINT work');
    this.#release = database.prepare('RELEASE work');
  }

  async write<T>(work: (database: DatabaseSync) => T): Promise<T> {
    const result = this.#run(work);
    await this.committed();
    return result;
  }

  /** Resolves when everything written so far is on disk; at once if nothing is pending. */
  committed(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Commits now and closes the connection. */
  close(): void {
    this.#commit();
    this.database.close();
  }

  #run<T>(work: (database: DatabaseSync) => T): T {
    if (!this.#open) {
      this.#begin.run();
      this.#open = true;
      setImmediate(() => this.#commit());
    }
    this.#savepoint.run();
    try {
      const result = work(this.database);
      this.#release.run();
      return result;
    } catch (error) {
      this.database.exec('ROLLBACK TO work; RELEASE work');
      throw error;
    }
  }

  #commit(): void {
    if (!this.#open) return;
    this.#open = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    try {
      this.#around(() => this.database.exec('COMMIT'));
      for (const waiter of waiters) waiter.resolve();
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      for (const waiter of waiters) waiter.reject(error);
    }
  }
}
