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

/**
 * Group commit over one connection with one writer.
 *
 * `write(work)` runs `work` at once inside the open transaction and resolves with its result after the COMMIT that all
 * writes of this event-loop turn share. A `work` that throws is rolled back alone (savepoint) and rejects alone.
 */
export class GroupCommit {
  readonly database: DatabaseSync;
  readonly #around: (commit: () => void) => void;
  /** The commit to come, for those who wait for it. */
  #next: PromiseWithResolvers<void> | undefined;
  #open = false;
  readonly #beginning: StatementSync;
  readonly #committing: StatementSync;
  readonly #savepoint: StatementSync;
  readonly #release: StatementSync;

  /** `around` wraps every commit; when it throws, what was written is rolled back unless it had committed. */
  constructor(database: DatabaseSync, around: (commit: () => void) => void = (commit) => commit()) {
    this.database = database;
    this.#around = around;
    this.#beginning = database.prepare('BEGIN IMMEDIATE');
    this.#committing = database.prepare('COMMIT');
    // Within one another the innermost of a name counts.
    this.#savepoint = database.prepare('SAVEPOINT work');
    this.#release = database.prepare('RELEASE work');
  }

  async write<T>(work: (database: DatabaseSync) => T): Promise<T> {
    this.#begin();
    const result = this.#alone(work);
    await this.committed();
    return result;
  }

  /** As `write`, for whoever does not go on after a `work` that throws: all of this turn is rolled back with it. */
  async writeOrGiveUp(work: () => void): Promise<void> {
    this.#begin();
    try {
      work();
    } catch (error) {
      this.#rollback(error);
      throw error;
    }
    await this.committed();
  }

  /** Resolves when everything written so far is on disk; at once if nothing is pending. */
  committed(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#next ??= Promise.withResolvers<void>();
    return this.#next.promise;
  }

  /** Commits now and closes the connection. */
  close(): void {
    this.#commit();
    this.database.close();
  }

  #begin(): void {
    if (this.#open) return;
    this.#beginning.run();
    this.#open = true;
    setImmediate(() => this.#commit());
  }

  #alone<T>(work: (database: DatabaseSync) => T): T {
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
    try {
      this.#around(() => this.#committing.run());
      this.#end()?.resolve();
    } catch (error) {
      this.#rollback(error);
    }
  }

  #rollback(error: unknown): void {
    if (this.database.isTransaction) this.database.exec('ROLLBACK');
    this.#end()?.reject(error);
  }

  #end(): PromiseWithResolvers<void> | undefined {
    const waiting = this.#next;
    this.#next = undefined;
    this.#open = false;
    return waiting;
  }
}
