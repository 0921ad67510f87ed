// What the repositories need of a container, and nothing more: documents with etags, one transactional batch, one small
// query. `cosmosCollection.ts` gives it on Cosmos DB, `memory.ts` in memory, so both run the same repositories.
import { setTimeout as delay } from 'node:timers/promises';
import { terminal, transient } from '../errors.ts';
import type { Change, Read } from './contract.ts';

/** The partition key's values, in the order of its paths. */
export type Key = readonly string[];
export interface Stored {
  id: string;
  kind: string;
}

/** Documents of a kind, in one partition or in all. Paths are dotted: `state.sync.status`. */
export interface Query {
  kind: string;
  key?: Key;
  /** Each of these paths has one of its values. */
  anyOf?: readonly { path: string; values: readonly string[] }[];
  noneOf?: { path: string; values: readonly string[] };
  after?: { path: string; value: number | string };
  /** Members to read, where the rest of the document is not needed. */
  fields?: readonly string[];
  orderBy?: { path: string; descending?: boolean };
  limit?: number;
}

/** A document to put in the place of the one that was read. */
export interface Replacement {
  document: Stored;
  etag: string;
}

/** What is written at once, or not at all: at most 100 documents and 2 MB. */
export interface Batch {
  replace: readonly Replacement[];
  create: readonly Stored[];
}

export interface Collection {
  read<T extends Stored>(key: Key, id: string): Promise<Read<T> | undefined>;
  create(key: Key, document: Stored): Promise<'created' | 'exists'>;
  put(key: Key, document: Stored): Promise<void>;
  /** Replaces it if it is still the one that was read. */
  replace(key: Key, document: Stored, etag: string): Promise<'replaced' | 'changed'>;
  remove(key: Key, id: string): Promise<void>;
  commit(key: Key, batch: Batch): Promise<'committed' | 'changed' | 'exists'>;
  query<T extends Stored>(query: Query): Promise<T[]>;
  /** Waits before the next try of an optimistic change, from 1 for the first: for as long as other writers need. */
  beforeNextTry(attempt: number): Promise<void>;
}

const tries = 20;

/** Waits before the next try: longer each time, and not in step with other writers. */
export async function beforeNextTry(attempt: number): Promise<void> {
  if (attempt > 1) await delay(Math.random() * Math.min(250, 4 * 2 ** attempt));
}

/** Tries an optimistic change a bounded number of times; `undefined` means that somebody else was faster. */
export async function optimistically<T>(
  collection: Collection,
  what: string,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  for (let n = 1; n <= tries; n++) {
    await collection.beforeNextTry(n);
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw transient('conflict', `Too many writers at once want to change ${what}.`, 'It is tried again.');
}

/** Creates a document unless it exists; returns what is stored. */
export async function createOnce<T extends Stored>(collection: Collection, key: Key, document: T): Promise<T> {
  if ((await collection.create(key, document)) === 'created') return document;
  return (await collection.read<T>(key, document.id))?.value ?? document;
}

/** Reads a document, changes it and replaces it with If-Match, again on a conflict. */
export async function changeDocument<T extends Stored>(
  collection: Collection,
  key: Key,
  id: string,
  what: string,
  change: Change<T>,
): Promise<T> {
  return optimistically(collection, what, async () => {
    const read = await collection.read<T>(key, id);
    if (read === undefined) throw terminal('notFound', `There is no ${what}.`, 'Check its name.');
    const next = change(read.value);
    if (next === undefined) return read.value;
    return (await collection.replace(key, next, read.etag)) === 'replaced' ? next : undefined;
  });
}
