// Deliveries that wait, and those that were given up. A delivery is one event for one subscription; it leaves the table
// only after the webhook has answered 2xx, or moves to the dead letters.
import { GroupCommit, openDatabase } from '../sqlite.ts';

export interface Delivery {
  id: number;
  subscription: string;
  event: string;
  attempts: number;
  due: number;
  created: number;
}

export interface DeadLetter {
  subscription: string;
  event: unknown;
  attempts: number;
  reason: string;
}

const schema = `
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, event TEXT NOT NULL, attempts INTEGER NOT NULL,
  due INTEGER NOT NULL, created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveriesByDue ON deliveries (subscription, due, id);
CREATE TABLE IF NOT EXISTS deadLetters (
  id INTEGER PRIMARY KEY, subscription TEXT NOT NULL, event TEXT NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL
);`;

export class Outbox {
  readonly #commit: GroupCommit;

  constructor(path: string) {
    const database = openDatabase(path);
    database.exec(schema);
    this.#commit = new GroupCommit(database);
  }

  add(subscriptions: string[], events: object[]): Promise<void> {
    return this.#commit.write((database) => {
      const insert = database.prepare(
        'INSERT INTO deliveries (subscription, event, attempts, due, created) VALUES (?, ?, 0, ?, ?)',
      );
      const now = Date.now();
      for (const event of events) {
        for (const subscription of subscriptions) insert.run(subscription, JSON.stringify(event), now, now);
      }
    });
  }

  /** The waiting delivery that is due first, due or not. */
  next(subscription: string): Delivery | undefined {
    return this.#commit.database
      .prepare('SELECT * FROM deliveries WHERE subscription = ? ORDER BY due, id LIMIT 1')
      .get(subscription) as unknown as Delivery | undefined;
  }

  delivered({ id }: Delivery): Promise<unknown> {
    return this.#commit.write((database) => database.prepare('DELETE FROM deliveries WHERE id = ?').run(id));
  }

  retry({ id, attempts }: Delivery, due: number): Promise<unknown> {
    return this.#commit.write((database) =>
      database.prepare('UPDATE deliveries SET attempts = ?, due = ? WHERE id = ?').run(attempts + 1, due, id),
    );
  }

  giveUp({ id, subscription, event, attempts }: Delivery, reason: string): Promise<unknown> {
    return this.#commit.write((database) => {
      database
        .prepare('INSERT INTO deadLetters (subscription, event, attempts, reason) VALUES (?, ?, ?, ?)')
        .run(subscription, event, attempts + 1, reason);
      database.prepare('DELETE FROM deliveries WHERE id = ?').run(id);
    });
  }

  deadLetters(): DeadLetter[] {
    const rows = this.#commit.database
      .prepare('SELECT subscription, event, attempts, reason FROM deadLetters ORDER BY id')
      .all() as unknown as (Omit<DeadLetter, 'event'> & { event: string })[];
    return rows.map((row) => ({ ...row, event: JSON.parse(row.event) as unknown }));
  }

  close(): void {
    this.#commit.close();
  }
}
