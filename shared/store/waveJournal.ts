// The wave's own journal: entries in a chain, and the document of its head. Whatever of a wave is written goes through
// here, together with the entries that tell about it, in one batch: neither is ever there without the other.
import { emptyChain, type Head, link, placeOf } from '../journal/chain.ts';
import type { Told, WaveEntry } from '../journal/entry.ts';
import { type Collection, optimistically, type Replacement, type Stored } from './collection.ts';
import type { EntryDocument, JournalDocument } from './documents.ts';

/** What is to be written of a wave at once. */
export interface Draft<T> {
  replace?: readonly Replacement[];
  create?: readonly Stored[];
  entries: readonly Told[];
  /** What the writer gets once it is written. */
  result: T;
}

/** Id of an entry's document: its deduplication key within the wave. */
const entryDocumentId = (entryId: string): string => `entry.${entryId}`;

export class WaveJournal {
  readonly #collection: Collection;
  readonly #now: () => string;
  /** Writers of one wave in this process take turns: they would all change the same head. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(collection: Collection, now: () => string) {
    this.#collection = collection;
    this.#now = now;
  }

  /**
   * Writes what `draft` makes of the current documents, with its entries; again, with a new draft, when somebody else was
   * faster.
   */
  async write<T>(waveId: string, what: string, draft: () => Promise<Draft<T> | { result: T }>): Promise<T> {
    return this.#inTurn(waveId, () =>
      optimistically(this.#collection, what, async () => {
        const drafted = await draft();
        if (!('entries' in drafted)) return drafted;
        return (await this.#commit(waveId, drafted)) === 'committed' ? drafted : undefined;
      }),
    ).then(({ result }) => result);
  }

  /** Appends entries, each once. */
  async append(waveId: string, entries: readonly WaveEntry[]): Promise<void> {
    await this.write(waveId, `the journal of wave ${waveId}`, async () => {
      const fresh = await this.fresh(waveId, entries);
      return fresh.length === 0 ? { result: undefined } : { entries: fresh, result: undefined };
    });
  }

  /** Those of some entries that are not there yet. */
  async fresh(waveId: string, entries: readonly WaveEntry[]): Promise<WaveEntry[]> {
    const known = await Promise.all(
      entries.map(({ id }) => this.#collection.read<EntryDocument>([waveId], entryDocumentId(id))),
    );
    return entries.filter((_, index) => known[index] === undefined);
  }

  async head(waveId: string): Promise<Head | undefined> {
    return (await this.#collection.read<JournalDocument>([waveId], 'journal'))?.value.head;
  }

  /** Entries in order, from after a version. */
  async entries(waveId: string, afterVersion = 0, limit?: number): Promise<EntryDocument[]> {
    return this.#collection.query<EntryDocument>({
      kind: 'entry',
      key: [waveId],
      after: { path: 'version', value: afterVersion },
      orderBy: { path: 'version' },
      ...(limit === undefined ? {} : { limit }),
    });
  }

  /** Entries in the order of all journals of the wave, from after a place. */
  async inPlace(waveId: string, after: string, limit: number): Promise<EntryDocument[]> {
    return this.#collection.query<EntryDocument>({
      kind: 'entry',
      key: [waveId],
      after: { path: 'place', value: after },
      orderBy: { path: 'place' },
      limit,
    });
  }

  async #commit(waveId: string, { replace = [], create = [], entries }: Omit<Draft<unknown>, 'result'>) {
    const key = [waveId];
    if (entries.length === 0) return this.#collection.commit(key, { replace, create });
    const read = await this.#collection.read<JournalDocument>(key, 'journal');
    let head = read?.value.head ?? emptyChain({ waveId });
    const documents = entries.map((told): EntryDocument => {
      const entry: WaveEntry = { ...told, id: told.id ?? String(head.version + 1), time: told.time ?? this.#now() };
      head = link(head, entry);
      const place = placeOf({ waveId }, head.version, entry);
      return { id: entryDocumentId(entry.id), kind: 'entry', waveId, ...head, place, entry };
    });
    const journal: JournalDocument = { id: 'journal', kind: 'journal', waveId, head };
    return this.#collection.commit(key, {
      replace: read === undefined ? replace : [...replace, { document: journal, etag: read.etag }],
      create: [...create, ...documents, ...(read === undefined ? [journal] : [])],
    });
  }

  async #inTurn<T>(waveId: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(waveId) ?? Promise.resolve()).then(work, work);
    this.#turns.set(waveId, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(waveId) === turn) this.#turns.delete(waveId);
    }
  }
}
