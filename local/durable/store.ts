// The engine's tables and the statements on them. Every method must be called inside a `GroupCommit.write`, except the
// readers; what a method writes is visible to the readers at once and on disk when that write resolves.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { HistoryEvent } from './history.ts';
import {
  type InstanceRow,
  type Message,
  type Row,
  type RuntimeStatus,
  type Task,
  type Timer,
  text,
  toInstance,
} from './rows.ts';
import { migrate } from './schema.ts';

export class Store {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #unwritten = new Map<number, Message & { instance: string }>();
  #lastMessage: number;

  constructor(database: DatabaseSync) {
    this.database = database;
    migrate(database);
    this.#lastMessage = Number(
      database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'inbox'").get()?.['seq'] ?? 0,
    );
  }

  instance(id: string): InstanceRow | undefined {
    const row = this.#sql('SELECT * FROM instance WHERE id = ?').get(id) as Row | undefined;
    return row && toInstance(row);
  }

  putInstance(instance: InstanceRow): void {
    this.#sql('INSERT OR REPLACE INTO instance VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      instance.id,
      instance.name,
      instance.version ?? null,
      instance.status,
      instance.execution,
      instance.parent ? JSON.stringify(instance.parent) : null,
      instance.created,
      instance.updated,
      instance.input ?? null,
      instance.output ?? null,
      instance.customStatus ?? null,
      JSON.stringify(instance.progress),
    );
  }

  /** Stores what an episode may change without copying the input again; `before` is the status that is stored. */
  updateInstance(instance: InstanceRow, before: RuntimeStatus): void {
    const { id, status, updated, output, customStatus, progress } = instance;
    const rest = this.#sql('UPDATE instance SET updated = ?, output = ?, custom_status = ?, progress = ? WHERE id = ?');
    rest.run(updated, output ?? null, customStatus ?? null, JSON.stringify(progress), id);
    // A statement that names the status writes its index again, and most episodes leave an instance running.
    if (status !== before) this.#sql('UPDATE instance SET status = ? WHERE id = ?').run(status, id);
  }

  history(id: string): string[] {
    const rows = this.#sql('SELECT events FROM history WHERE instance = ? ORDER BY seq').all(id) as Row[];
    return rows.map((row) => String(row['events']));
  }

  appendHistory(id: string, seq: number, events: string): void {
    this.#sql('INSERT INTO history VALUES (?, ?, ?)').run(id, seq, events);
  }

  inbox(id: string): Message[] {
    this.flush();
    const rows = this.#sql('SELECT seq, execution, event FROM inbox WHERE instance = ? ORDER BY seq').all(id) as Row[];
    return rows.map((row) => ({
      seq: Number(row['seq']),
      execution: text(row['execution']),
      event: JSON.parse(String(row['event'])) as HistoryEvent,
    }));
  }

  /** Adds a message; most are read and removed again before the commit, so it is only written by `flush`. */
  addMessage(instance: string, execution: string | undefined, event: HistoryEvent): Message {
    const message = { seq: ++this.#lastMessage, execution, event };
    this.#unwritten.set(message.seq, { ...message, instance });
    return message;
  }

  /** Writes the messages that nobody has read yet; must be called before each commit. */
  flush(): void {
    if (this.#unwritten.size === 0) return;
    const insert = this.#sql('INSERT INTO inbox (seq, instance, execution, event) VALUES (?, ?, ?, ?)');
    for (const { seq, instance, execution, event } of this.#unwritten.values())
      insert.run(seq, instance, execution ?? null, JSON.stringify(event));
    this.#unwritten.clear();
  }

  removeMessage(seq: number): void {
    if (!this.#unwritten.delete(seq)) this.#sql('DELETE FROM inbox WHERE seq = ?').run(seq);
  }

  removeMessages(instance: string): void {
    this.flush();
    this.#sql('DELETE FROM inbox WHERE instance = ?').run(instance);
  }

  addTask(task: Task): void {
    this.#sql('INSERT INTO task VALUES (?, ?, ?, ?, ?)').run(
      task.instance,
      task.execution,
      task.id,
      task.name,
      task.input,
    );
  }

  removeTask(task: Task): boolean {
    const sql = 'DELETE FROM task WHERE instance = ? AND execution = ? AND id = ?';
    return Number(this.#sql(sql).run(task.instance, task.execution, task.id).changes) > 0;
  }

  addTimer(timer: Timer): void {
    this.#sql('INSERT INTO timer VALUES (?, ?, ?, ?)').run(timer.instance, timer.execution, timer.id, timer.fireAt);
  }

  removeTimer(instance: string, execution: string, id: number): void {
    this.#sql('DELETE FROM timer WHERE instance = ? AND execution = ? AND id = ?').run(instance, execution, id);
  }

  removeTimers(instance: string): void {
    this.#sql('DELETE FROM timer WHERE instance = ?').run(instance);
  }

  dueTimers(now: number): Timer[] {
    const rows = this.#sql('SELECT * FROM timer WHERE fire_at <= ? ORDER BY fire_at LIMIT 500').all(now) as Row[];
    return rows.map((row) => ({
      instance: String(row['instance']),
      execution: String(row['execution']),
      id: Number(row['id']),
      fireAt: Number(row['fire_at']),
    }));
  }

  nextTimer(): number | undefined {
    const row = this.#sql('SELECT MIN(fire_at) AS at FROM timer').get() as Row;
    return row['at'] === null ? undefined : Number(row['at']);
  }

  /** What a restarted engine has to take up again. */
  unfinished(): { instances: string[]; tasks: Task[] } {
    this.flush();
    const instances = this.#sql('SELECT DISTINCT instance FROM inbox ORDER BY seq').all() as Row[];
    const tasks = this.#sql('SELECT * FROM task').all() as Row[];
    return {
      instances: instances.map((row) => String(row['instance'])),
      tasks: tasks.map((row) => ({
        instance: String(row['instance']),
        execution: String(row['execution']),
        id: Number(row['id']),
        name: String(row['name']),
        input: String(row['input']),
      })),
    };
  }

  /** Forgets history and timers of an instance that starts anew. */
  clearExecution(id: string): void {
    this.#sql('DELETE FROM history WHERE instance = ?').run(id);
    this.removeTimers(id);
  }

  /** Removes everything about an instance. */
  purge(id: string): void {
    this.clearExecution(id);
    this.removeMessages(id);
    this.#sql('DELETE FROM task WHERE instance = ?').run(id);
    this.#sql('DELETE FROM instance WHERE id = ?').run(id);
  }

  /** Ended instances that were last changed before a moment (epoch milliseconds), oldest first. */
  endedBefore(moment: number, most: number): string[] {
    const sql = `SELECT id FROM instance WHERE status IN ('Completed', 'Failed', 'Terminated') AND updated < ?
      ORDER BY updated LIMIT ?`;
    return (this.#sql(sql).all(moment, most) as Row[]).map((row) => String(row['id']));
  }

  /** Instances that match `where` (SQL with `?`), oldest first. */
  select(where: string, values: (string | number)[]): InstanceRow[] {
    const rows = this.#sql(`SELECT * FROM instance WHERE ${where}`).all(...values) as Row[];
    return rows.map(toInstance);
  }

  #sql(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
