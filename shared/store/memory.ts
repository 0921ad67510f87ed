// The store in memory, for tests and rehearsals: the same repositories over documents with etags and all-or-nothing
// batches. It forgets everything with its process. Documents are kept as JSON would carry them and frozen, so that
// readers share them and nobody changes what another has read.
import type { Batch, Collection, Query, Stored } from './collection.ts';
import type { Store } from './contract.ts';
import { type ContainerName, containers, storeOn } from './storeOn.ts';

interface Entry {
  partition: string;
  document: Stored;
  etag: string;
}

class MemoryCollection implements Collection {
  readonly #entries = new Map<string, Entry>();
  /** The same entries by kind, and by partition: what queries look through. */
  readonly #groups = new Map<string, Map<string, Entry>>();
  readonly #changed: (document: Stored) => void;
  #etags = 0;

  constructor(changed: (document: Stored) => void) {
    this.#changed = changed;
  }

  async read<T extends Stored>(key: readonly string[], id: string): Promise<{ value: T; etag: string } | undefined> {
    const entry = this.#entries.get(address(key, id));
    return entry && { value: entry.document as T, etag: entry.etag };
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
    const at = address(key, id);
    const entry = this.#entries.get(at);
    if (entry === undefined) return;
    this.#entries.delete(at);
    for (const group of groupsOf(entry)) this.#groups.get(group)?.delete(at);
  }

  async commit(key: readonly string[], { replace, create }: Batch): Promise<'committed' | 'changed' | 'exists'> {
    if (replace.some(({ document, etag }) => this.#entries.get(address(key, document.id))?.etag !== etag))
      return 'changed';
    if (create.some(({ id }) => this.#entries.has(address(key, id)))) return 'exists';
    this.#write(key, ...replace.map(({ document }) => document), ...create);
    return 'committed';
  }

  async query<T extends Stored>({ kind, key, anyOf, noneOf, after, orderBy, limit }: Query): Promise<T[]> {
    const group = key === undefined ? `kind ${kind}` : partitionOf(key);
    const found = [...(this.#groups.get(group)?.values() ?? [])]
      .map(({ document }) => document as T)
      .filter((document) => document.kind === kind)
      .filter((document) => anyOf?.every(({ path, values }) => values.includes(String(at(document, path)))) ?? true)
      .filter((document) => !noneOf?.values.includes(String(at(document, noneOf.path))))
      .filter((document) => after === undefined || compare(at(document, after.path), after.value) > 0);
    if (orderBy !== undefined) {
      const sign = orderBy.descending ? -1 : 1;
      found.sort((a, b) => sign * compare(at(a, orderBy.path), at(b, orderBy.path)));
    }
    return limit === undefined ? found : found.slice(0, limit);
  }

  /** Nobody else writes in the same moment, so there is nothing to wait for. */
  async beforeNextTry(): Promise<void> {}

  /** Keeps all before it tells of any: whoever hears of one finds the others. */
  #write(key: readonly string[], ...written: readonly Stored[]): void {
    for (const document of written.map((each) => this.#keep(key, each))) this.#changed(document);
  }

  #keep(key: readonly string[], written: Stored): Stored {
    if (/[/\\?#]/.test(written.id)) throw new Error(`"${written.id}" cannot be a document id`);
    const document = asJson(written) as Stored;
    const entry = { partition: partitionOf(key), document, etag: `"${++this.#etags}"` };
    const at = address(key, document.id);
    this.#entries.set(at, entry);
    for (const group of groupsOf(entry)) {
      const members = this.#groups.get(group) ?? new Map<string, Entry>();
      if (members.size === 0) this.#groups.set(group, members);
      members.set(at, entry);
    }
    return document;
  }
}

// No id contains a slash: Cosmos DB refuses it.
const address = (key: readonly string[], id: string): string => `${key.join('/')}/${id}`;
const partitionOf = (key: readonly string[]): string => `partition ${key.join('/')}`;
const groupsOf = ({ partition, document }: Entry): string[] => [partition, `kind ${document.kind}`];

const kept = new WeakSet<object>();

/** The value as JSON carries it, frozen. Parts that come from a document already are used as they are. */
function asJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || kept.has(value)) return value;
  if ('toJSON' in value) return JSON.parse(JSON.stringify(value));
  const copy = Array.isArray(value) ? value.map((item) => asJson(item) ?? null) : membersAsJson(value);
  kept.add(copy);
  return Object.freeze(copy);
}

function membersAsJson(value: object): object {
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) if (item !== undefined) copy[name] = asJson(item);
  return copy;
}

function at(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

/** Empty containers in memory. `changed` hears of every write, as the change feed would. */
export function memoryCollections(
  changed: (container: ContainerName, document: Stored) => void = () => {},
): Record<ContainerName, Collection> {
  const names = Object.keys(containers) as ContainerName[];
  const collections = names.map((name) => [name, new MemoryCollection((document) => changed(name, document))]);
  return Object.fromEntries(collections) as Record<ContainerName, Collection>;
}

/** A store in memory. */
export function createMemoryStore(changed?: Parameters<typeof memoryCollections>[0], now?: () => string): Store {
  return storeOn(memoryCollections(changed), now);
}
