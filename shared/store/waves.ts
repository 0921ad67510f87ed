// Waves with what people are asked about them: gates, questions, orders, signals. One partition per wave.
import { terminal } from '../errors.ts';
import { hashOf } from '../hash.ts';
import type { Said, WaveEntry } from '../journal/entry.ts';
import { type ToldDocument, tell } from '../journal/tell.ts';
import { type Collection, createOnce } from './collection.ts';
import type { Change, Signal, Store } from './contract.ts';
import type {
  AttentionDocument,
  ControlDocument,
  DraftDocument,
  GateDocument,
  LeavingDocument,
  SignalDocument,
  VersionDocument,
  WaveDocument,
} from './documents.ts';
import type { Draft, WaveJournal } from './waveJournal.ts';

const signalId = ({ operationId, cause }: Signal): string =>
  `signal.${hashOf(cause === undefined ? operationId : `${operationId} ${cause}`).slice(0, 32)}`;

export function wavesOn(
  collection: Collection,
  journal: WaveJournal,
): Pick<Store, 'waves' | 'gates' | 'attentions' | 'controls' | 'leaving'> {
  const { createTold, changeTold, creation, replacement } = toldDocuments(collection, journal);
  return {
    waves: {
      create: createTold<WaveDocument>,
      async get(waveId) {
        return (await collection.read<WaveDocument>([waveId], 'wave'))?.value;
      },
      async list() {
        return collection.query<WaveDocument>({ kind: 'wave' });
      },
      keepVersion: async (version) => void (await createOnce(collection, [version.waveId], version)),
      version: async (waveId, version) =>
        (await collection.read<VersionDocument>([waveId], `version.${version}`))?.value,
      versions: (waveId) =>
        collection.query<VersionDocument>({ kind: 'version', key: [waveId], orderBy: { path: 'version' } }),
      putDraft: (draft) => collection.put([draft.waveId], draft),
      draft: async (waveId, id) => (await collection.read<DraftDocument>([waveId], id))?.value,
      dropDraft: (waveId, id) => collection.remove([waveId], id),
      change: (waveId, change, said) => changeTold<WaveDocument>(waveId, 'wave', `wave ${waveId}`, change, said),
    },
    gates: {
      open: createTold<GateDocument>,
      async get(waveId, gateId) {
        const gate = (await collection.read<GateDocument>([waveId], gateId))?.value;
        return gate?.kind === 'gate' ? gate : undefined;
      },
      list: (waveId) => collection.query<GateDocument>({ kind: 'gate', key: [waveId], orderBy: { path: 'openedAt' } }),
      change: async (waveId, gateId, change) =>
        changeTold<GateDocument>(waveId, ofKind('gate', gateId), `gate ${gateId} of wave ${waveId}`, change),
    },
    attentions: {
      open: createTold<AttentionDocument>,
      list: (waveId) =>
        collection.query<AttentionDocument>({ kind: 'attention', key: [waveId], orderBy: { path: 'openedAt' } }),
      change: async (waveId, id, change) =>
        changeTold<AttentionDocument>(waveId, ofKind('attention', id), `question ${id} of wave ${waveId}`, change),
    },
    leaving: {
      get: async (waveId) => (await collection.read<LeavingDocument>([waveId], 'leaving'))?.value,
      async change(waveId, change, order) {
        const what = `who leaves wave ${waveId}`;
        return journal.write(waveId, what, async () => {
          const read = await collection.read<LeavingDocument>([waveId], 'leaving');
          const document = change(read?.value);
          if (document === undefined) return { result: undefined };
          const entries = tell(read?.value, document);
          const written =
            read === undefined
              ? { create: [document], entries }
              : { replace: [{ document, etag: read.etag }], entries };
          const ordered =
            'create' in order ? await creation(order.create) : await replacement(waveId, order.id, what, order.change);
          return both(document === read?.value ? { entries: [] } : written, ordered);
        });
      },
    },
    controls: {
      put: async (control) => void (await createTold(control)),
      async give(control, told) {
        const { waveId, id } = control;
        await journal.write(waveId, `order ${id} of wave ${waveId}`, async () => {
          const wave = await replacement<WaveDocument>(waveId, 'wave', `wave ${waveId}`, told);
          return both('entries' in wave ? wave : { entries: [] }, await creation(control));
        });
      },
      list: (waveId) => collection.query<ControlDocument>({ kind: 'control', key: [waveId], orderBy: { path: 'at' } }),
    },
  };
}

/** Documents of a wave that are never written without the entries that tell about them. */
function toldDocuments(collection: Collection, journal: WaveJournal) {
  type Telling = Said & { entries?: readonly WaveEntry[] };
  const creation = async <T extends ToldDocument>(document: T): Promise<Drafted<T>> => {
    const stored = (await collection.read<T>([document.waveId], document.id))?.value;
    if (stored !== undefined) return { result: stored };
    return { create: [document], entries: tell(undefined, document), result: document };
  };
  const replacement = async <T extends ToldDocument>(
    waveId: string,
    id: string,
    what: string,
    change: Change<T>,
    { entries = [], ...said }: Telling = {},
  ): Promise<Drafted<T>> => {
    const read = await collection.read<T>([waveId], id);
    if (read === undefined) throw terminal('notFound', `There is no ${what}.`, 'Check its name.');
    const document = change(read.value);
    const done = entries.length > 0 && (await journal.fresh(waveId, entries)).length === 0;
    if (document === undefined || done) return { result: read.value };
    const told = [...entries, ...tell(read.value, document, said)];
    return { replace: [{ document, etag: read.etag }], entries: told, result: document };
  };
  return {
    creation,
    replacement,
    /** Creates it unless it exists; returns what is stored. */
    createTold<T extends ToldDocument>(document: T): Promise<T> {
      const { waveId, id } = document;
      return journal.write(waveId, `${id} of wave ${waveId}`, () => creation(document));
    },
    /** Reads it, changes it and replaces it. Named entries make it happen once. */
    changeTold<T extends ToldDocument>(
      waveId: string,
      id: string,
      what: string,
      change: Change<T>,
      telling?: Telling,
    ): Promise<T> {
      return journal.write(waveId, what, () => replacement(waveId, id, what, change, telling));
    },
  };
}

type Drafted<T> = Draft<T> | { result: T };

/** Two drafts as one: both are written, or neither. */
function both<T>(first: Omit<Draft<unknown>, 'result'>, second: Drafted<T>): Drafted<T> {
  const drafts = 'entries' in second ? [first, second] : [first];
  const [replace, create] = [drafts.flatMap((each) => each.replace ?? []), drafts.flatMap((each) => each.create ?? [])];
  const { result } = second;
  if (replace.length + create.length === 0) return { result };
  return { replace, create, entries: drafts.flatMap(({ entries }) => entries), result };
}

/** Ids say what a document is; an id of another kind is none of ours. */
function ofKind(kind: string, id: string): string {
  if (!id.startsWith(`${kind}.`)) throw terminal('notFound', `There is no ${kind} ${id}.`, 'Check its id.');
  return id;
}

export function signalsOn(waves: Collection, environments: Collection): Store['signals'] {
  return {
    async toWave(waveId, signal) {
      const document: SignalDocument = { id: signalId(signal), kind: 'signal', waveId, ...signal };
      await waves.create([waveId], document);
    },
    async toEnvironment(environmentId, signal) {
      const document: SignalDocument = { id: signalId(signal), kind: 'signal', environmentId, ...signal };
      await environments.create([environmentId], document);
    },
  };
}
