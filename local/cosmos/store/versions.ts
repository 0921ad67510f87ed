// Every version of every item, and its deletion, of containers that keep them for a while: what the change feed of all
// versions and deletes is read from.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EpkRange } from '../partition/key.ts';
import type { Container } from './catalog.ts';
import type { ItemRow } from './items.ts';

export interface Change {
  operation: 'create' | 'replace' | 'delete';
  before?: ItemRow;
  after?: ItemRow;
  isExpiry?: boolean;
}

export interface Version {
  lsn: number;
  /** As the feed gives it. */
  json: string;
}

const MINUTE = 60;

export class Versions {
  readonly #insert: StatementSync;
  readonly #read: StatementSync;
  readonly #note: StatementSync;
  readonly #prune: StatementSync;
  readonly #pruned: StatementSync;

  constructor(sqlite: DatabaseSync) {
    this.#insert = sqlite.prepare('INSERT INTO versions (container, lsn, epk, ts, json) VALUES (?, ?, ?, ?, ?)');
    this.#read = sqlite.prepare(
      'SELECT lsn, json FROM versions WHERE container = ? AND lsn > ? AND epk >= ? AND epk < ? ORDER BY lsn, number',
    );
    this.#note = sqlite.prepare(
      'INSERT OR REPLACE INTO pruned SELECT container, max(lsn) FROM versions WHERE container = ? AND ts < ? GROUP BY 1',
    );
    this.#pruned = sqlite.prepare('SELECT lsn FROM pruned WHERE container = ?');
    this.#prune = sqlite.prepare('DELETE FROM versions WHERE container = ? AND ts < ?');
  }

  record(container: Container, epk: string, lsn: number, now: number, change: Change): void {
    if (container.retentionMinutes === 0) return;
    const { operation, before, after, isExpiry } = change;
    const ts = Math.floor(now / 1000);
    const metadata = {
      operationType: operation,
      lsn,
      crts: ts,
      ...(before && { previousImageLSN: before.lsn }),
      ...(isExpiry && { timeToLiveExpired: true }),
    };
    const images = `${after ? `"current":${after.body},` : ''}${before ? `"previous":${before.body},` : ''}`;
    this.#insert.run(container.number, lsn, epk, ts, `{${images}"metadata":${JSON.stringify(metadata)}}`);
  }

  *read(container: Container, after: number, range: EpkRange | undefined): Generator<Version> {
    for (const { lsn, json } of this.#read.iterate(container.number, after, range?.min ?? '', range?.max ?? 'FF')) {
      yield { lsn: Number(lsn), json: String(json) };
    }
  }

  /** Removes what is older than its container keeps. */
  prune(container: Container, now: number): void {
    const oldest = Math.floor(now / 1000) - container.retentionMinutes * MINUTE;
    this.#note.run(container.number, oldest);
    this.#prune.run(container.number, oldest);
  }

  /** The last change number of which nothing is left to tell. */
  pruned(container: Container): number {
    return Number(this.#pruned.get(container.number)?.lsn ?? 0);
  }
}
