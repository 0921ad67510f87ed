// The rows of items and the few statements on them. Knows nothing of etags, HTTP or SQL text of clients: a query hands
// in SQLite conditions that narrow the rows, and evaluates the rest itself.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { EpkRange, PartitionKey } from '../partition/key.ts';
import type { Container } from './catalog.ts';

export interface ItemRow {
  number: number;
  id: string;
  pk: string;
  lsn: number;
  ts: number;
  expires: number | null;
  etag: string;
  body: string;
}

/** As much of an item as a query reads. */
export type Stored = Pick<ItemRow, 'number' | 'body'>;

/** Several items at once. */
export interface StoredText {
  count: number;
  /** The number of the last one. */
  last: number;
  /** UTF-8. */
  text: Uint8Array;
}

export interface Condition {
  sql: string;
  values: SQLInputValue[];
  /** The SQLite expression that this compares, which an index could serve. */
  column?: string;
  /** Whether it lets through nothing but what the query wants. */
  isExact?: boolean;
  /** Whether it asks for one value, or one of several; else for a range. */
  isEquality?: boolean;
}

interface ScanOptions {
  range?: EpkRange | undefined;
  conditions?: Condition[];
  /** The index to read by; one of the table's own if absent. */
  index?: string | undefined;
  /** Only items with a greater number, in the order of numbers. */
  after?: number;
  now: number;
}

const COLUMNS = 'number, id, pk, lsn, ts, expires, etag, body';

export class Items {
  readonly #sqlite: DatabaseSync;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;
  readonly #expired: StatementSync;
  readonly #prepared = new Map<string, StatementSync>();
  #lastNumber: number;

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite;
    this.#find = sqlite.prepare(`SELECT ${COLUMNS} FROM items WHERE container = ? AND epk = ? AND pk = ? AND id = ?`);
    this.#insert = sqlite.prepare(
      'INSERT INTO items (number, container, epk, pk, id, lsn, ts, expires, etag, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#update = sqlite.prepare('UPDATE items SET lsn = ?, ts = ?, expires = ?, etag = ?, body = ? WHERE number = ?');
    this.#delete = sqlite.prepare('DELETE FROM items WHERE number = ?');
    this.#expired = sqlite.prepare('DELETE FROM items WHERE expires <= ?');
    this.#lastNumber = Number(sqlite.prepare('SELECT max(number) AS last FROM items').get()?.last ?? 0);
  }

  nextNumber(): number {
    return ++this.#lastNumber;
  }

  find(container: Container, key: PartitionKey, id: string): ItemRow | undefined {
    const row = this.#find.get(container.number, key.epk, key.text, id);
    return row && toRow(row);
  }

  insert(container: Container, key: PartitionKey, row: ItemRow): void {
    const { number, id, lsn, ts, expires, etag, body } = row;
    this.#insert.run(number, container.number, key.epk, key.text, id, lsn, ts, expires, etag, body);
  }

  update(row: ItemRow): void {
    this.#update.run(row.lsn, row.ts, row.expires, row.etag, row.body, row.number);
  }

  byNumber(number: number): ItemRow | undefined {
    const row = this.#sqlite.prepare(`SELECT ${COLUMNS} FROM items WHERE number = ?`).get(number);
    return row && toRow(row);
  }

  /** The expired items of a container, each with its place in the hash range. */
  expired(container: Container, now: number): { row: ItemRow; epk: string }[] {
    const rows = this.#sqlite
      .prepare(`SELECT ${COLUMNS}, epk FROM items WHERE container = ? AND expires <= ?`)
      .all(container.number, now);
    return rows.map((row) => ({ row: toRow(row), epk: String(row.epk) }));
  }

  delete(number: number): void {
    this.#delete.run(number);
  }

  deleteExpired(now: number): void {
    this.#expired.run(now);
  }

  /** Live items in the order of their numbers, read by the named index. */
  *scan(container: Container, options: ScanOptions): Generator<Stored> {
    const where = narrow(container, options);
    where.push({ sql: 'number > ?', values: [options.after ?? 0] });
    const index = options.index ?? builtInIndex(options.range);
    for (const { number, body } of this.#rows('number, body', index, where, 'ORDER BY number')) {
      yield { number: Number(number), body: String(body) };
    }
  }

  /** As `scan`, the first `limit` items with commas between them, as they go on the wire. */
  scanText(container: Container, options: ScanOptions, limit: number): StoredText {
    const where = narrow(container, options);
    where.push({ sql: 'number > ?', values: [options.after ?? 0] });
    const by = indexedBy(options.index ?? builtInIndex(options.range));
    const one = `SELECT number, body FROM items${by} WHERE ${allOf(where)} ORDER BY number`;
    const sql = `SELECT count(*) AS count, max(number) AS last, CAST(group_concat(body) AS BLOB) AS text FROM (${one} LIMIT ?)`;
    const values = where.flatMap((condition) => condition.values);
    const { count, last, text } = this.#statement(sql, by).get(...values, limit) ?? {};
    return {
      count: Number(count),
      last: Number(last),
      text: text instanceof Uint8Array ? text : new Uint8Array(),
    };
  }

  /** Live items changed after `lsn`, in the order of their changes. */
  *changes(container: Container, lsn: number, options: ScanOptions): Generator<ItemRow> {
    const where = narrow(container, options);
    where.push({ sql: 'lsn > ?', values: [lsn] });
    for (const row of this.#rows(COLUMNS, 'itemsByLsn', where, 'ORDER BY lsn, number')) yield toRow(row);
  }

  #rows(columns: string, index: string | undefined, where: Condition[], tail: string) {
    const by = indexedBy(index);
    const statement = this.#statement(`SELECT ${columns} FROM items${by} WHERE ${allOf(where)} ${tail}`, by);
    return statement.iterate(...where.flatMap((condition) => condition.values));
  }

  #statement(sql: string, by: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) return known;
    if (this.#prepared.size > MAX_PREPARED) this.#prepared.clear();
    const statement = prepareBy(this.#sqlite, sql, by);
    this.#prepared.set(sql, statement);
    return statement;
  }
}

const MAX_PREPARED = 200;
const indexedBy = (index: string | undefined) => (index === undefined ? '' : ` INDEXED BY "${index}"`);
const allOf = (where: Condition[]) => where.map(({ sql }) => sql).join(' AND ');

/** SQLite refuses an index that it cannot read by (where a condition is never true, for one); it finds another itself. */
function prepareBy(sqlite: DatabaseSync, sql: string, by: string): StatementSync {
  try {
    return sqlite.prepare(sql);
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('no query solution'))) throw error;
    return sqlite.prepare(sql.replace(by, ''));
  }
}

/** Whether a range is that of one whole partition key. */
export function isOneKey(range: EpkRange | undefined): range is EpkRange & { key: PartitionKey } {
  return range?.key !== undefined && !range.key.isPrefix;
}

/** A key's items, or all in the order of their numbers; of a key's leading levels SQLite finds the few itself. */
function builtInIndex(range: EpkRange | undefined): string | undefined {
  if (isOneKey(range)) return 'itemsByPlace';
  return range?.key ? undefined : 'itemsByContainer';
}

function narrow(container: Container, { range, conditions = [], now }: ScanOptions): Condition[] {
  const where: Condition[] = [{ sql: `container = ${container.number}`, values: [] }];
  if (isOneKey(range)) {
    where.push({ sql: 'epk = ?', values: [range.key.epk] }, { sql: 'pk = ?', values: [range.key.text] });
  } else {
    if (range && range.min !== '') where.push({ sql: 'epk >= ?', values: [range.min] });
    if (range && range.max !== 'FF') where.push({ sql: 'epk < ?', values: [range.max] });
  }
  where.push({ sql: '(expires IS NULL OR expires > ?)', values: [now] });
  return [...where, ...conditions];
}

function toRow(row: Record<string, unknown>): ItemRow {
  return {
    number: Number(row.number),
    id: String(row.id),
    pk: String(row.pk),
    lsn: Number(row.lsn),
    ts: Number(row.ts),
    expires: row.expires === null ? null : Number(row.expires),
    etag: String(row.etag),
    body: String(row.body),
  };
}
