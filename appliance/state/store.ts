// What the appliance must not forget: one SQLite file in the state folder, so that an answer, the end of its operation
// and what it says about the staging blob become durable together. Committed before anything is acknowledged.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { FatalProblem } from '../problem.ts';

const schema = `
CREATE TABLE IF NOT EXISTS sequence (subject TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, jws TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS operation (id TEXT PRIMARY KEY, finished INTEGER NOT NULL, event TEXT, subject TEXT, jws TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job (id TEXT PRIMARY KEY, job TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lastPoint (workload TEXT PRIMARY KEY, root TEXT NOT NULL, blobs TEXT NOT NULL, sync TEXT NOT NULL,
  tracked INTEGER NOT NULL) WITHOUT ROWID;
DROP TABLE IF EXISTS ledger;
DROP TABLE IF EXISTS point;
CREATE TABLE IF NOT EXISTS disk (id INTEGER PRIMARY KEY, workload TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (workload, name));
CREATE TABLE IF NOT EXISTS held (key INTEGER PRIMARY KEY, known INTEGER NOT NULL, source BLOB NOT NULL,
  target BLOB NOT NULL, unread BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS digests (key INTEGER PRIMARY KEY, chunks BLOB NOT NULL, prints BLOB NOT NULL);
`;

// What an earlier version knew of blobs is in no form that this one reads: nothing counts as known.
const earlier = `DROP TABLE block; DELETE FROM lastPoint;`;

export class Store {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Opens the state folder for this process alone. */
  static open(stateDir: string): Store {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    chmodSync(stateDir, 0o700);
    const database = new DatabaseSync(join(stateDir, 'state.db'));
    try {
      database.exec('PRAGMA busy_timeout = 5000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;');
      database.exec(`PRAGMA synchronous = FULL; PRAGMA cache_size = -2000; BEGIN IMMEDIATE; ${schema}`);
      const isEarlier = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'block'").get() !== undefined;
      database.exec(`${isEarlier ? earlier : ''} COMMIT;`);
    } catch (error) {
      database.close();
      throw new FatalProblem(
        `The state in ${stateDir} can't be opened; does another appliance use it? ${String(error)}`,
      );
    }
    return new Store(database);
  }

  /** Runs `work` in one durable transaction. */
  commit<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /**
   * The same without waiting for the disk: what it did outlives this process at once, the machine with the next commit.
   * https://www.sqlite.org/pragma.html#pragma_synchronous
   */
  keep<T>(work: () => T): T {
    if (this.#database.isTransaction) return work();
    this.#database.exec('PRAGMA synchronous = NORMAL');
    try {
      return this.commit(work);
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL');
    }
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepare(sql).run(...values);
  }

  get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.#prepare(sql).all(...values);
  }

  /** One row after the other: of many, none is kept. Nothing else is asked meanwhile. */
  each(sql: string, ...values: SQLInputValue[]): Iterable<Record<string, unknown>> {
    return this.#prepare(sql).iterate(...values);
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
