// Point operations on items: the rules of create, upsert, replace, delete and read. Synchronous, inside a transaction
// of the store; the etag and all system properties are made here and nowhere else.
import { badRequest, conflict, notFound, preconditionFailed, tooLarge } from '../errors.ts';
import { type JsonObject, member } from '../json.ts';
import { isKeyOf, type PartitionKey } from '../partition/key.ts';
import type { Container } from '../store/catalog.ts';
import { expire, isExpired } from '../store/expiry.ts';
import type { ItemRow } from '../store/items.ts';
import { itemRid } from '../store/rid.ts';
import type { Store, Transaction } from '../store/store.ts';
import { chargeOf } from './charge.ts';
import { uniqueValues } from './unique.ts';

export interface Preconditions {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
}

export interface Outcome {
  status: number;
  charge: number;
  etag?: string;
  /** The item as JSON text. */
  body?: string;
}

const MAX_ITEM_BYTES = 2 * 1024 * 1024;
const SYSTEM = ['_rid', '_self', '_etag', '_attachments', '_ts', '_lsn'];
const ETAG_MISMATCH = 'Operation cannot be performed because one of the specified precondition is not met.';

export function createItem(transaction: Transaction, key: PartitionKey, document: JsonObject): Outcome {
  const id = checkItem(transaction.container, key, document);
  if (liveItem(transaction, key, id)) throw conflict();
  return insert(transaction, key, id, document);
}

export function upsertItem(tx: Transaction, key: PartitionKey, document: JsonObject, when: Preconditions): Outcome {
  const id = checkItem(tx.container, key, document);
  const existing = liveItem(tx, key, id);
  if (!existing) return insert(tx, key, id, document);
  checkMatch(existing, when);
  return overwrite(tx, key, existing, document, 'upsert');
}

export function replaceItem(
  transaction: Transaction,
  key: PartitionKey,
  id: string,
  document: JsonObject,
  when: Preconditions,
): Outcome {
  if (checkItem(transaction.container, key, document) !== id) {
    throw badRequest('The id in the body differs from the id of the item to replace.');
  }
  const existing = liveItem(transaction, key, id);
  if (!existing) throw notFound();
  checkMatch(existing, when);
  return overwrite(transaction, key, existing, document, 'replace');
}

export function deleteItem(transaction: Transaction, key: PartitionKey, id: string, when: Preconditions): Outcome {
  const existing = liveItem(transaction, key, id);
  if (!existing) throw notFound();
  checkMatch(existing, when);
  const { container, lsn, now } = transaction;
  transaction.changes++;
  transaction.items.delete(existing.number);
  transaction.versions.record(container, key.epk, lsn, now, { operation: 'delete', before: existing });
  return { status: 204, charge: chargeOf('delete', existing.body.length) };
}

export function readItem(
  store: Pick<Store, 'items'>,
  container: Container,
  key: PartitionKey,
  id: string,
  now: number,
  when: Preconditions,
): Outcome {
  const row = store.items.find(container, key, id);
  if (!row || isExpired(row, now)) throw notFound();
  if (when.ifNoneMatch !== undefined && (when.ifNoneMatch === '*' || when.ifNoneMatch === row.etag)) {
    return { status: 304, charge: 1, etag: row.etag };
  }
  return { status: 200, charge: chargeOf('read', row.body.length), etag: row.etag, body: row.body };
}

/** The item that a write sees; one that has expired but not been swept yet is removed on the way. */
export function liveItem(transaction: Transaction, key: PartitionKey, id: string): ItemRow | undefined {
  const row = transaction.items.find(transaction.container, key, id);
  if (!row || !isExpired(row, transaction.now)) return row;
  expire(transaction, row, key.epk);
  return undefined;
}

export function checkMatch(row: ItemRow, { ifMatch, ifNoneMatch }: Preconditions): void {
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== row.etag) throw preconditionFailed(ETAG_MISMATCH);
  if (ifNoneMatch === '*' || (ifNoneMatch !== undefined && ifNoneMatch === row.etag)) {
    throw preconditionFailed(ETAG_MISMATCH);
  }
}

/** Writes a new version of an existing item. */
export function overwrite(
  tx: Transaction,
  key: PartitionKey,
  existing: ItemRow,
  document: JsonObject,
  by: 'upsert' | 'replace',
): Outcome {
  const values = uniqueValues(tx, key, document, existing.number);
  const row = makeRow(tx, existing.number, existing.id, existing.pk, document);
  tx.items.update(row);
  tx.uniques.set(tx.container, key, row.number, values);
  const change = { operation: 'replace', before: existing, after: row } as const;
  tx.versions.record(tx.container, key.epk, tx.lsn, tx.now, change);
  return { status: 200, charge: chargeOf(by, row.body.length), etag: row.etag, body: row.body };
}

function insert(tx: Transaction, key: PartitionKey, id: string, document: JsonObject): Outcome {
  const values = uniqueValues(tx, key, document);
  const row = makeRow(tx, tx.items.nextNumber(), id, key.text, document);
  tx.items.insert(tx.container, key, row);
  tx.uniques.set(tx.container, key, row.number, values);
  tx.versions.record(tx.container, key.epk, tx.lsn, tx.now, { operation: 'create', after: row });
  return { status: 201, charge: chargeOf('create', row.body.length), etag: row.etag, body: row.body };
}

/** Checks id, partition key, size and ttl of an item that a client wants written; answers its id. */
export function checkItem(container: Container, key: PartitionKey, document: JsonObject): string {
  const id = member(document, 'id');
  if (typeof id !== 'string' || id === '') {
    throw badRequest("The input content is invalid because the required properties - 'id; ' - are missing.");
  }
  if (Buffer.byteLength(id) > 1023 || /[/\\]/.test(id)) {
    throw badRequest('An id has at most 1023 bytes and contains neither "/" nor "\\".');
  }
  if (key.isPrefix || !isKeyOf(container.partitionKey, document, key)) {
    throw badRequest("PartitionKey extracted from document doesn't match the one specified in the header.", 1001);
  }
  const ttl = member(document, 'ttl');
  if (
    ttl !== undefined &&
    ttl !== null &&
    (typeof ttl !== 'number' || !Number.isInteger(ttl) || ttl === 0 || ttl < -1)
  ) {
    throw badRequest('The input ttl is invalid: it must be -1 or a positive number of seconds.');
  }
  return id;
}

function makeRow(tx: Transaction, number: number, id: string, pk: string, document: JsonObject): ItemRow {
  const { container, lsn, now } = tx;
  const ts = Math.floor(now / 1000);
  const rid = itemRid(container.rid, number);
  const etag = `"${hex(lsn, 8)}-${hex(tx.changes++, 4)}-0000-0000-${hex(ts, 8)}0000"`;
  const own: JsonObject = { ...document };
  for (const name of SYSTEM) delete own[name];
  const system = `"_rid":"${rid}","_self":"dbs/${container.databaseRid}/colls/${container.rid}/docs/${rid}/"`;
  const tail = `"_etag":${JSON.stringify(etag)},"_attachments":"attachments/","_ts":${ts}`;
  const body = `${JSON.stringify(own).slice(0, -1)},${system},${tail}}`;
  if (body.length > MAX_ITEM_BYTES || Buffer.byteLength(body) > MAX_ITEM_BYTES) throw tooLarge();
  return { number, id, pk, lsn, ts, expires: expiry(container, own, now), etag, body };
}

function expiry({ defaultTtl }: Container, document: JsonObject, now: number): number | null {
  if (defaultTtl === undefined) return null;
  const own = member(document, 'ttl');
  const ttl = typeof own === 'number' ? own : defaultTtl;
  return ttl < 0 ? null : now + ttl * 1000;
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
