// A store in memory that refuses what Cosmos DB refuses: documents and batches of more than 2 MB, batches of more than
// 100 operations (https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-request-limits).
import type { Batch, Collection, Stored } from '../../shared/store/collection.ts';
import type { Store } from '../../shared/store/contract.ts';
import { memoryCollections } from '../../shared/store/memory.ts';
import { type ContainerName, storeOn } from '../../shared/store/storeOn.ts';

const mostBytes = 2 * 1024 * 1024;
const mostOperations = 100;

/** What was written since the store was made: how often, and the longest document of each kind, in bytes. */
export interface Weighed {
  writes: number;
  longest: Map<string, number>;
}

export function limitedStore(now: () => string): { store: Store; weighed: Weighed } {
  const weighed: Weighed = { writes: 0, longest: new Map() };
  const collections = Object.entries(memoryCollections()).map(([name, one]) => [name, limited(one, weighed)]);
  return { store: storeOn(Object.fromEntries(collections) as Record<ContainerName, Collection>, now), weighed };
}

function limited(inner: Collection, weighed: Weighed): Collection {
  const weigh = (document: Stored): number => {
    const bytes = Buffer.byteLength(JSON.stringify(document));
    if (bytes > mostBytes) throw new Error(`413: ${document.kind} ${document.id} has ${bytes} bytes`);
    weighed.writes++;
    weighed.longest.set(document.kind, Math.max(bytes, weighed.longest.get(document.kind) ?? 0));
    return bytes;
  };
  return {
    read: inner.read.bind(inner),
    query: inner.query.bind(inner),
    remove: inner.remove.bind(inner),
    beforeNextTry: inner.beforeNextTry.bind(inner),
    async create(key, document) {
      weigh(document);
      return inner.create(key, document);
    },
    async put(key, document) {
      weigh(document);
      return inner.put(key, document);
    },
    async replace(key, document, etag) {
      weigh(document);
      return inner.replace(key, document, etag);
    },
    async commit(key, batch: Batch) {
      const documents = [...batch.replace.map(({ document }) => document), ...batch.create];
      const bytes = documents.reduce((sum, document) => sum + weigh(document), 0);
      if (bytes > mostBytes) throw new Error(`413: a batch has ${bytes} bytes`);
      if (documents.length > mostOperations) throw new Error(`400: a batch has ${documents.length} operations`);
      return inner.commit(key, batch);
    },
  };
}
