// The journal on SQLite: writes down what the core did, and brings it back after a stop or a crash.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GroupCommit, openDatabase } from '../../sqlite.ts';
import type { EntityRecord } from '../core/entity.ts';
import type { Journal } from '../core/environment.ts';
import type { Rule } from '../core/rules.ts';
import type { SessionState, Stored } from '../core/stored.ts';
import { packExtra, ruleText } from './rows.ts';

const schema = `
CREATE TABLE IF NOT EXISTS entity (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS message (
  queue INTEGER NOT NULL, seq INTEGER NOT NULL, enqueued_seq INTEGER NOT NULL, state TEXT NOT NULL,
  message_id TEXT NOT NULL, session_id TEXT, enqueued_at REAL NOT NULL, visible_at REAL NOT NULL, expires_at REAL,
  delivery_count INTEGER NOT NULL, delivered INTEGER NOT NULL, source TEXT, extra BLOB, raw BLOB NOT NULL,
  PRIMARY KEY (queue, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (queue INTEGER NOT NULL, id TEXT NOT NULL, state BLOB NOT NULL, updated_at REAL NOT NULL DEFAULT 0, PRIMARY KEY (queue, id)) STRICT;
CREATE TABLE IF NOT EXISTS counter (queue INTEGER PRIMARY KEY, next INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS seen (entity INTEGER NOT NULL, message_id TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (entity, message_id)) STRICT;
CREATE TABLE IF NOT EXISTS rule (subscription INTEGER NOT NULL, name TEXT NOT NULL, rule TEXT NOT NULL, PRIMARY KEY (subscription, name)) STRICT;
`;

/** How long a delivery may wait for a commit that somebody needs. */
const noteWithinMs = 20;

type Parameter = string | number | null | Buffer;

export class SqliteJournal implements Journal {
  readonly database: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #statements = new Map<string, StatementSync>();
  readonly #onFailure: (error: unknown) => void;
  #pending: [string, Parameter[]][] = [];
  /** Deliveries that are not written yet, by queue: most are settled before they would be. */
  readonly #delivered = new Map<number, Set<number>>();
  #noteTimer: NodeJS.Timeout | undefined;
  #scheduled = false;
  #failure: Error | undefined;
  #closed = false;

  /**
   * @param onFailure told once when a commit fails; from then on nothing is acknowledged any more.
   * @param around wraps every commit, for faults.
   */
  constructor(path: string, onFailure: (error: unknown) => void, around?: (commit: () => void) => void) {
    this.database = openDatabase(path);
    this.database.exec(schema);
    this.#extend('session', 'updated_at', 'REAL NOT NULL DEFAULT 0');
    this.#commit = new GroupCommit(this.database, around);
    this.#onFailure = onFailure;
  }

  /** Resolves when everything journalled so far is durable. */
  async committed(): Promise<void> {
    this.#flush();
    await this.#commit.committed();
    // A write that failed leaves the transaction it was part of to commit without it.
    if (this.#failure) throw this.#failure;
  }

  close(): void {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#commit.close();
  }

  saveEntity(entity: EntityRecord): void {
    this.#do(
      'INSERT INTO entity VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record',
      entity.id,
      entity.path.toLowerCase(),
      JSON.stringify(entity),
    );
  }

  removeEntity(id: number): void {
    this.#do('DELETE FROM entity WHERE id = ?', id);
    this.#do('DELETE FROM rule WHERE subscription = ?', id);
    this.#do('DELETE FROM seen WHERE entity = ?', id);
    for (const queue of [id * 2, id * 2 + 1, -id]) {
      this.#delivered.delete(queue);
      for (const table of ['message', 'session', 'counter']) this.#do(`DELETE FROM ${table} WHERE queue = ?`, queue);
    }
  }

  insert(queue: number, m: Stored): void {
    this.#do(
      'INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      queue,
      m.sequenceNumber,
      m.enqueuedSequenceNumber,
      m.state,
      m.messageId,
      m.sessionId ?? null,
      m.enqueuedAt,
      m.visibleAt,
      Number.isFinite(m.expiresAt) ? m.expiresAt : null,
      m.deliveryCount,
      m.delivered ? 1 : 0,
      m.deadLetterSource ?? null,
      packExtra(m.extra),
      m.raw,
    );
  }

  update(queue: number, m: Stored): void {
    this.#delivered.get(queue)?.delete(m.sequenceNumber);
    this.#do(
      'UPDATE message SET state = ?, delivery_count = ?, delivered = ?, extra = ? WHERE queue = ? AND seq = ?',
      m.state,
      m.deliveryCount,
      m.delivered ? 1 : 0,
      packExtra(m.extra),
      queue,
      m.sequenceNumber,
    );
  }

  noteDelivered(queue: number, sequenceNumber: number): void {
    const notes = this.#delivered.get(queue);
    if (notes) notes.add(sequenceNumber);
    else this.#delivered.set(queue, new Set([sequenceNumber]));
    this.#noteTimer ??= setTimeout(() => this.#flush(), noteWithinMs).unref();
  }

  remove(queue: number, sequenceNumber: number): void {
    this.#delivered.get(queue)?.delete(sequenceNumber);
    this.#do('DELETE FROM message WHERE queue = ? AND seq = ?', queue, sequenceNumber);
  }

  saveSession(queue: number, id: string, { state, stateUpdatedAt }: SessionState): void {
    if (state === null) this.#do('DELETE FROM session WHERE queue = ? AND id = ?', queue, id);
    else this.#do('INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)', queue, id, state, stateUpdatedAt);
  }

  saveCounter(queue: number, next: number): void {
    this.#do('INSERT OR REPLACE INTO counter VALUES (?, ?)', queue, next);
  }

  remember(entity: number, messageId: string, until: number): void {
    this.#do('INSERT OR REPLACE INTO seen VALUES (?, ?, ?)', entity, messageId, until);
  }

  forget(entity: number, messageId: string): void {
    this.#do('DELETE FROM seen WHERE entity = ? AND message_id = ?', entity, messageId);
  }

  saveRule(subscription: number, rule: Rule): void {
    this.#do('INSERT OR REPLACE INTO rule VALUES (?, ?, ?)', subscription, rule.name.toLowerCase(), ruleText(rule));
  }

  removeRule(subscription: number, name: string): void {
    this.#do('DELETE FROM rule WHERE subscription = ? AND name = ?', subscription, name.toLowerCase());
  }

  /** A column that databases of an earlier version do not have. */
  #extend(table: string, column: string, type: string): void {
    const columns = this.database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
    if (columns.some(({ name }) => name === column)) return;
    this.database.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
  }

  #do(sql: string, ...parameters: Parameter[]): void {
    this.#pending.push([sql, parameters]);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  /** Moves what one synchronous stretch of the core wrote into the open transaction, whole or not at all. */
  #flush(): void {
    this.#scheduled = false;
    this.#takeNotes();
    if (this.#pending.length === 0 || this.#closed) return;
    const pending = this.#pending;
    this.#pending = [];
    this.#commit
      .writeOrGiveUp(() => {
        for (const [sql, parameters] of pending) this.#statement(sql).run(...parameters);
      })
      .catch((error: unknown) => {
        if (this.#failure) return;
        this.#failure = error instanceof Error ? error : new Error(String(error));
        this.#onFailure(error);
      });
  }

  #takeNotes(): void {
    clearTimeout(this.#noteTimer);
    this.#noteTimer = undefined;
    for (const [queue, notes] of this.#delivered) {
      for (const sequenceNumber of notes) {
        this.#pending.push(['UPDATE message SET delivered = 1 WHERE queue = ? AND seq = ?', [queue, sequenceNumber]]);
      }
      notes.clear();
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
