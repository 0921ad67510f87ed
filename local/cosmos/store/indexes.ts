// Cosmos DB indexes every property; here scans that have taken long enough bring about an index over the properties
// that they compared, which the next sweep builds. A query names the index that it reads by, so that SQLite, which knows nothing
// of how values are spread, never takes a worse one. Only speed depends on all this, never an answer.
import type { DatabaseSync } from 'node:sqlite';
import type { Container } from './catalog.ts';

const MAX_PER_CONTAINER = 8;
/** What may be lost before an index is built: one slow query, or many quick ones of a kind. */
const WORTH_MS = 10;

export class Indexes {
  readonly #sqlite: DatabaseSync;
  readonly #built = new Set<string>();
  readonly #lost = new Map<string, number>();
  readonly #wanted = new Map<string, string>();

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
    const rows = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND name GLOB 'by[0-9]*'");
    for (const { name } of rows.iterate()) this.#built.add(String(name));
    // Of an earlier form, which nothing reads by any more.
    const old = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND name GLOB 'scan[0-9]*'").all();
    for (const { name } of old) sqlite.exec(`DROP INDEX "${name}"`);
  }

  /** The index over these SQLite expressions, if it has been built. */
  find(container: Container, columns: string[]): string | undefined {
    const name = nameOf(container, columns);
    return this.#built.has(name) ? name : undefined;
  }

  /** Notes that a query took so long for want of an index over SQLite expressions such as `json_extract(body, '$.n')`. */
  missed(container: Container, columns: string[], ms: number): void {
    const name = nameOf(container, columns);
    if (this.#built.has(name) || this.#wanted.has(name)) return;
    const lost = (this.#lost.get(name) ?? 0) + ms;
    this.#lost.set(name, lost);
    if (lost < WORTH_MS) return;
    this.#lost.delete(name);
    const all = [...this.#built, ...this.#wanted.keys()].filter((each) => each.startsWith(prefix(container)));
    if (all.length >= MAX_PER_CONTAINER) return;
    const sql = `CREATE INDEX IF NOT EXISTS "${name}" ON items (${columns.join(', ')}) WHERE container = ${container.number}`;
    this.#wanted.set(name, sql);
  }

  /** Builds what is wanted; inside a transaction. */
  build(): void {
    for (const [name, sql] of this.#wanted) {
      this.#sqlite.exec(sql);
      this.#built.add(name);
    }
    this.#wanted.clear();
  }

  /** Forgets a container's indexes; inside a transaction. */
  drop(container: Container): void {
    for (const name of this.#wanted.keys()) if (name.startsWith(prefix(container))) this.#wanted.delete(name);
    for (const name of this.#built) {
      if (!name.startsWith(prefix(container))) continue;
      this.#sqlite.exec(`DROP INDEX IF EXISTS "${name}"`);
      this.#built.delete(name);
    }
  }
}

const prefix = (container: Container) => `by${container.number}_`;

function nameOf(container: Container, columns: string[]): string {
  const names = columns.map((column) => /^json_extract\(body, '\$\.(.*)'\)$/.exec(column)?.[1] ?? column);
  return `${prefix(container)}${names.join('|').replaceAll('"', '`')}`;
}
