// Unique key policies. A path that an item does not have counts as null, which takes part like any other value.
// https://learn.microsoft.com/azure/cosmos-db/unique-keys
import { conflict } from '../errors.ts';
import { type Json, type JsonObject, member } from '../json.ts';
import { type PartitionKey, pathNames } from '../partition/key.ts';
import { canonical } from '../sql/values.ts';
import { expire, isExpired } from '../store/expiry.ts';
import type { Transaction } from '../store/store.ts';

/** The item's values, once it is known that no other item has one of them; throws 409. */
export function uniqueValues(tx: Transaction, key: PartitionKey, document: JsonObject, own?: number): string[] {
  return tx.container.uniqueKeys.map((paths, number) => {
    const value = canonical(paths.map((path) => valueAt(document, path)));
    const holder = tx.uniques.holder(tx.container, key, number, value);
    if (holder !== undefined && holder !== own && isHeld(tx, key, holder)) {
      throw conflict(`Unique index constraint violation: another item has the same ${paths.join(', ')}.`);
    }
    return value;
  });
}

/** Whether an item stands; one that has expired goes on the way. */
function isHeld(tx: Transaction, key: PartitionKey, holder: number): boolean {
  const row = tx.items.byNumber(holder);
  if (!row) return false;
  if (!isExpired(row, tx.now)) return true;
  expire(tx, row, key.epk);
  return false;
}

function valueAt(document: JsonObject, path: string): Json {
  let value: Json | undefined = document;
  for (const name of pathNames(path)) value = member(value, name);
  return value ?? null;
}
