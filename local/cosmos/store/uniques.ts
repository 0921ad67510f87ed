// Unique keys: values that no two items of one partition key may share. The rows go with their item.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { PartitionKey } from '../partition/key.ts';
import type { Container } from './catalog.ts';

export class Uniques {
  readonly #find: StatementSync;
  readonly #forget: StatementSync;
  readonly #insert: StatementSync;

  constructor(sqlite: DatabaseSync) {
    this.#find = sqlite.prepare(
      'SELECT item FROM uniques WHERE container = ? AND epk = ? AND pk = ? AND number = ? AND value = ?',
    );
    this.#forget = sqlite.prepare('DELETE FROM uniques WHERE item = ?');
    this.#insert = sqlite.prepare(
      'INSERT INTO uniques (container, epk, pk, number, value, item) VALUES (?, ?, ?, ?, ?, ?)',
    );
  }

  /** The number of the item that holds the value of unique key `number`. */
  holder(container: Container, { epk, text }: PartitionKey, number: number, value: string): number | undefined {
    const item = this.#find.get(container.number, epk, text, number, value)?.item;
    return item === undefined ? undefined : Number(item);
  }

  /** An item's values, one for each unique key of its container, in place of those it had. */
  set(container: Container, { epk, text }: PartitionKey, item: number, values: string[]): void {
    if (values.length === 0) return;
    this.#forget.run(item);
    for (const [number, value] of values.entries()) this.#insert.run(container.number, epk, text, number, value, item);
  }
}
