// Time to live: what has expired is gone for everybody at once, although its row goes later.
import type { ItemRow } from './items.ts';
import type { Transaction } from './store.ts';

export const isExpired = (row: ItemRow, now: number) => row.expires !== null && row.expires <= now;

/** Removes an expired item. Only a container that keeps its versions counts that as a change. */
export function expire(tx: Transaction, row: ItemRow, epk: string): void {
  tx.items.delete(row.number);
  if (tx.container.retentionMinutes === 0) return;
  tx.changes++;
  tx.versions.record(tx.container, epk, tx.lsn, tx.now, { operation: 'delete', before: row, isExpiry: true });
}
