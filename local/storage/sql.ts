// The catalogue's tables, and prepared statements kept by their text.
import type { DatabaseSync, StatementSync } from 'node:sqlite';

type Value = string | number | null;

export class Sql {
  readonly #database: DatabaseSync;
  #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(schema);
  }

  /** Rows of a query whose columns the caller knows to be those of `Row`. */
  all<Row>(text: string, ...values: Value[]): Row[] {
    return this.#prepare(text).all(...values) as unknown as Row[];
  }

  get<Row>(text: string, ...values: Value[]): Row | undefined {
    return this.#prepare(text).get(...values) as unknown as Row | undefined;
  }

  /** Returns the number of rows changed. */
  run(text: string, ...values: Value[]): number {
    return Number(this.#prepare(text).run(...values).changes);
  }

  /** A number that was never given before: for layers and blob ids. */
  next(): number {
    const row = this.get<{ value: number }>('UPDATE counter SET value = value + 1 RETURNING value');
    if (!row) throw new Error('The counter of the storage catalogue is missing');
    return row.value;
  }

  #prepare(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known) return known;
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

const schema = `
CREATE TABLE IF NOT EXISTS counter (value INTEGER NOT NULL);
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS containers (
  account TEXT NOT NULL, name TEXT NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL, metadata TEXT NOT NULL,
  PRIMARY KEY (account, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (
  id INTEGER PRIMARY KEY, account TEXT NOT NULL, container TEXT NOT NULL, name TEXT NOT NULL, snapshot TEXT NOT NULL,
  kind TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL, created INTEGER NOT NULL,
  headers TEXT NOT NULL, metadata TEXT NOT NULL, sequence INTEGER NOT NULL, layer INTEGER NOT NULL, born INTEGER NOT NULL,
  lease TEXT NOT NULL, copy TEXT NOT NULL,
  UNIQUE (account, container, name, snapshot)
);
CREATE TABLE IF NOT EXISTS extents (
  blob INTEGER NOT NULL REFERENCES blobs (id) ON DELETE CASCADE,
  start INTEGER NOT NULL, stop INTEGER NOT NULL, layer INTEGER NOT NULL, filled INTEGER NOT NULL,
  PRIMARY KEY (blob, start)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS extentsByLayer ON extents (layer) WHERE filled = 1;
`;
