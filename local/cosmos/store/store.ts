// What is kept: the catalog, the items, and one writer. A container's writes share one change number (LSN) per
// transaction, as in Cosmos DB, and nothing counts as written before `write` has resolved.
import { join } from 'node:path';
import type { StatementSync } from 'node:sqlite';
import { GroupCommit, openDatabase } from '../../sqlite.ts';
import { Catalog, type Container } from './catalog.ts';
import { expire } from './expiry.ts';
import { Indexes } from './indexes.ts';
import { Items } from './items.ts';
import { createSchema } from './schema.ts';
import { Throttle } from './throttle.ts';
import { Uniques } from './uniques.ts';
import { Versions } from './versions.ts';

/** One transaction's view: the change number that its writes carry, and the time at which it happens. */
export interface Transaction {
  container: Container;
  items: Items;
  uniques: Uniques;
  versions: Versions;
  lsn: number;
  now: number;
  /** Counts writes, so that two of one transaction get different etags. */
  changes: number;
}

export class Store {
  readonly catalog: Catalog;
  readonly items: Items;
  readonly versions: Versions;
  readonly #uniques: Uniques;
  readonly indexes: Indexes;
  /** Absent where throughput is only recorded. */
  readonly throttle: Throttle | undefined;
  readonly now: () => number;
  readonly #setLsn: StatementSync;
  /** Containers with changes that are not on disk yet. */
  readonly #changed = new Set<Container>();
  readonly #commit: GroupCommit;

  constructor(dataDir: string | undefined, now: () => number, { partitions = 1, isThrottled = false } = {}) {
    const sqlite = openDatabase(dataDir === undefined ? ':memory:' : join(dataDir, 'cosmos.sqlite'));
    createSchema(sqlite);
    // Hot pages are written once for many commits; the log stays below 32 MB.
    sqlite.exec('PRAGMA wal_autocheckpoint = 8000');
    this.now = now;
    this.catalog = new Catalog(sqlite, now, partitions);
    this.items = new Items(sqlite);
    this.versions = new Versions(sqlite);
    this.#uniques = new Uniques(sqlite);
    this.indexes = new Indexes(sqlite);
    this.throttle = isThrottled ? new Throttle(now) : undefined;
    this.#setLsn = sqlite.prepare('UPDATE containers SET lsn = ? WHERE number = ?');
    this.#commit = new GroupCommit(sqlite, (commit) => {
      commit();
      for (const container of this.#changed) container.durableLsn = container.lsn;
      this.#changed.clear();
    });
  }

  /** Runs `work` atomically on one container; resolves when it is on disk. */
  async write<T>(container: Container, work: (transaction: Transaction) => T): Promise<T> {
    return this.#settled(() => this.#transact(container, work));
  }

  #transact<T>(container: Container, work: (transaction: Transaction) => T): T {
    const transaction: Transaction = {
      container,
      items: this.items,
      uniques: this.#uniques,
      versions: this.versions,
      lsn: container.lsn + 1,
      now: this.now(),
      changes: 0,
    };
    const result = work(transaction);
    if (transaction.changes > 0) {
      // Kept apart from the items: after deleting the newest item the number must not be given again.
      this.#setLsn.run(transaction.lsn, container.number);
      container.lsn = transaction.lsn;
      this.#changed.add(container);
    }
    return result;
  }

  /** Runs a change of the catalog; resolves when it is on disk. */
  define<T>(work: (catalog: Catalog) => T): Promise<T> {
    return this.#settled(() => work(this.catalog));
  }

  /** Reads may see what is about to be committed, so an answer waits until it is. */
  async read<T>(work: () => T): Promise<T> {
    try {
      return work();
    } finally {
      await this.#commit.committed();
    }
  }

  /** Removes expired items, which reads have not shown since they expired, and builds the indexes asked for. */
  sweep(): Promise<void> {
    return this.#commit.write(() => {
      const now = this.now();
      for (const container of this.catalog.keepingVersions()) {
        const expired = this.items.expired(container, now);
        this.#transact(container, (tx) => {
          for (const { row, epk } of expired) expire(tx, row, epk);
        });
        this.versions.prune(container, now);
      }
      this.items.deleteExpired(now);
      this.indexes.build();
    });
  }

  /** A refusal, too, may rest on what is about to be committed: it waits as an answer does. */
  async #settled<T>(work: () => T): Promise<T> {
    try {
      return await this.#commit.write(work);
    } catch (error) {
      await this.#commit.committed();
      throw error;
    }
  }

  close(): void {
    this.#commit.close();
  }
}
