// The resource store: one row per resource, found by its id without case. Handlers write here inside one transaction.
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { keyOf } from './ids.ts';
import type { Json } from './json.ts';

export interface Resource {
  readonly id: string;
  /** As in `Microsoft.Network/networkInterfaces`, in the spelling of the provider. */
  readonly type: string;
  /** What a GET shows. */
  readonly body: Json;
  /** What no answer shows: custom data, power state, the time from which an assignment counts. */
  readonly hidden: Json;
  readonly etag: string;
}

interface Row {
  id: string;
  type: string;
  body: string;
  hidden: string;
  etag: string;
}

export class Store {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(`CREATE TABLE IF NOT EXISTS resources (
      key TEXT PRIMARY KEY, id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, hidden TEXT NOT NULL, etag TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS resourcesByType ON resources (type);`);
  }

  get(id: string): Resource | undefined {
    const row = this.#database.prepare('SELECT * FROM resources WHERE key = ?').get(keyOf(id));
    return row ? fromRow(row as unknown as Row) : undefined;
  }

  /** Stores the resource under a new etag; an existing one keeps the spelling of its id. */
  put(id: string, type: string, body: Json, hidden?: Json): Resource {
    const existing = this.get(id);
    const resource: Resource = {
      id: existing?.id ?? id,
      type,
      body: { ...body, id: existing?.id ?? id },
      hidden: hidden ?? existing?.hidden ?? {},
      etag: randomUUID(),
    };
    this.#database
      .prepare('INSERT OR REPLACE INTO resources (key, id, type, body, hidden, etag) VALUES (?, ?, ?, ?, ?, ?)')
      .run(keyOf(id), resource.id, type, JSON.stringify(resource.body), JSON.stringify(resource.hidden), resource.etag);
    return resource;
  }

  /** Changes some properties (and some hidden state) of a resource that exists. */
  change(id: string, properties: Json, hidden: Json = {}): Resource | undefined {
    const found = this.get(id);
    if (!found) return undefined;
    const before = (found.body.properties ?? {}) as Json;
    return this.put(
      id,
      found.type,
      { ...found.body, properties: { ...before, ...properties } },
      { ...found.hidden, ...hidden },
    );
  }

  /** Removes the resource and all that hangs below it, role assignments at its scope included. */
  remove(id: string): void {
    const key = keyOf(id);
    this.#database
      .prepare('DELETE FROM resources WHERE key = ? OR (key >= ? AND key < ?)')
      .run(key, `${key}/`, `${key}0`);
  }

  /** Everything below a scope, in the order of ids; `0` is the character after `/`. */
  within(scope: string, type?: string): Resource[] {
    const key = keyOf(scope);
    const rows = type
      ? this.#database
          .prepare('SELECT * FROM resources WHERE key >= ? AND key < ? AND type = ? COLLATE NOCASE ORDER BY key')
          .all(`${key}/`, `${key}0`, type)
      : this.#database
          .prepare('SELECT * FROM resources WHERE key >= ? AND key < ? ORDER BY key')
          .all(`${key}/`, `${key}0`);
    return rows.map((row) => fromRow(row as unknown as Row));
  }

  ofType(type: string): Resource[] {
    const rows = this.#database.prepare('SELECT * FROM resources WHERE type = ? ORDER BY key').all(type);
    return rows.map((row) => fromRow(row as unknown as Row));
  }
}

function fromRow(row: Row): Resource {
  return {
    id: row.id,
    type: row.type,
    body: JSON.parse(row.body) as Json,
    hidden: JSON.parse(row.hidden) as Json,
    etag: row.etag,
  };
}
