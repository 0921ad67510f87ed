// The store in memory, for tests and rehearsals: the same repositories over documents with etags and all-or-nothing
// batches. It forgets everything with its process.
import type { Collection, Query, Stored } from './collection.ts';
import type { Store } from './contract.ts';
import { type ContainerName, containers, storeOn } from './storeOn.ts';

interface Entry {
  key: string;
  text: string;
  etag: string;
}

class MemoryCollection implements Collection {
  readonly #entries = new Map<string, Entry>();
  readonly #changed: (document: Stored) => void;
  #etags = 0;

  constructor(changed: (document: Stored) => void) {
    this.#changed = changed;
  }

  async read<T extends Stored>(key: readonly string[], id: string): Promise<{ value: T; etag: string } | undefined> {
    const entry = this.#entries.get(address(key, id));
    return entry && { value: JSON.parse(entry.text) as T, etag: entry.etag };
  }

  async create(key: readonly string[], document: Stored): Promise<'created' | 'exists'> {
    if (this.#entries.has(address(key, document.id))) return 'exists';
    this.#write(key, document);
    return 'created';
  }

  async put(key: readonly string[], document: Stored): Promise<void> {
    this.#write(key, document);
  }

  async replace(key: readonly string[], document: Stored, etag: string): Promise<'replaced' | 'changed'> {
    if (this.#entries.get(address(key, document.id))?.etag !== etag) return 'changed';
    this.#write(key, document);
    return 'replaced';
  }

  async remove(key: readonly string[], id: string): Promise<void> {
    this.#entries.delete(address(key, id));
  }

  async commit(
    key: readonly string[],
    batch: { replace: Stored; etag: string; create: readonly Stored[] },
  ): Promise<'committed' | 'changed' | 'exists'> {
    if (this.#entries.get(address(key, batch.replace.id))?.etag !== batch.etag) return 'changed';
    if (batch.create.some(({ id }) => this.#entries.has(address(key, id)))) return 'exists';
    for (const document of [batch.replace, ...batch.create]) this.#write(key, document);
    return 'committed';
  }

  async query<T extends Stored>({ kind, key, anyOf, after, orderBy, limit }: Query): Promise<T[]> {
    const found = [...this.#entries.values()]
      .filter((entry) => key === undefined || entry.key === JSON.stringify(key))
      .map((entry) => JSON.parse(entry.text) as T)
      .filter((document) => document.kind === kind)
      .filter((document) => anyOf === undefined || anyOf.values.includes(String(at(document, anyOf.path))))
      .filter((document) => after === undefined || Number(at(document, after.path)) > after.value);
    if (orderBy !== undefined) {
      const sign = orderBy.descending ? -1 : 1;
      found.sort((a, b) => sign * compare(at(a, orderBy.path), at(b, orderBy.path)));
    }
    return limit === undefined ? found : found.slice(0, limit);
  }

  #write(key: readonly string[], document: Stored): void {
    if (/[/\\?#]/.test(document.id)) throw new Error(`"${document.id}" cannot be a document id`);
    const text = JSON.stringify(document);
    this.#entries.set(address(key, document.id), { key: JSON.stringify(key), text, etag: `"${++this.#etags}"` });
    this.#changed(JSON.parse(text) as Stored);
  }
}

const address = (key: readonly string[], id: string): string => JSON.stringify([...key, id]);

function at(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

/** A store in memory. `changed` hears of every write, as the change feed would. */
export function createMemoryStore(changed: (container: ContainerName, document: Stored) => void = () => {}): Store {
  const names = Object.keys(containers) as ContainerName[];
  const collections = names.map((name) => [name, new MemoryCollection((document) => changed(name, document))]);
  return storeOn(Object.fromEntries(collections) as Record<ContainerName, Collection>);
}
