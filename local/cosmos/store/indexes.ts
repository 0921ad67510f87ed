// Cosmos DB indexes every property; here a scan that turned out slow asks for an index over the properties that it
// compared, and the next sweep builds it. Only speed depends on it, never an answer.
import type { DatabaseSync } from 'node:sqlite';
import type { Container } from './catalog.ts';

const MAX_PER_CONTAINER = 8;

export class Indexes {
  readonly #sqlite: DatabaseSync;
  readonly #wanted = new Map<string, string>();

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
  }

  /** Asks for an index over SQLite expressions such as `json_extract(body, '$.kind')`. */
  want(container: Container, columns: string[]): void {
    const list = [...new Set(columns)].sort();
    if (list.length === 0 || this.#namesOf(container).length >= MAX_PER_CONTAINER) return;
    const name = `${prefix(container)}${list
      .join('_')
      .replaceAll(/json_extract\(body, '\$\.|'\)/g, '')
      .replaceAll('.', '__')}`;
    const sql = `CREATE INDEX IF NOT EXISTS "${name}" ON items (${list.join(', ')}) WHERE container = ${container.number}`;
    this.#wanted.set(name, sql);
  }

  /** Builds what is wanted; inside a transaction. */
  build(): void {
    for (const sql of this.#wanted.values()) this.#sqlite.exec(sql);
    this.#wanted.clear();
  }

  /** Forgets a container's indexes; inside a transaction. */
  drop(container: Container): void {
    for (const name of this.#wanted.keys()) if (name.startsWith(prefix(container))) this.#wanted.delete(name);
    for (const name of this.#namesOf(container)) this.#sqlite.exec(`DROP INDEX "${name}"`);
  }

  #namesOf(container: Container): string[] {
    const rows = this.#sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND name GLOB ? || '*'");
    return rows.all(prefix(container)).map(({ name }) => String(name));
  }
}

const prefix = (container: Container) => `scan${container.number}_`;
