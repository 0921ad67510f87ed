// Waves with what people are asked about them: gates, questions, orders, signals. One partition per wave.
import { terminal } from '../errors.ts';
import { hashOf } from '../hash.ts';
import { type Collection, changeDocument, type Key, type Stored } from './collection.ts';
import type { Signal, Store } from './contract.ts';
import type { AttentionDocument, ControlDocument, GateDocument, SignalDocument, WaveDocument } from './documents.ts';

const signalId = ({ operationId, cause }: Signal): string =>
  `signal.${hashOf(cause === undefined ? operationId : `${operationId} ${cause}`).slice(0, 32)}`;

/** Creates a document unless it exists; returns what is stored. */
async function createOnce<T extends Stored>(collection: Collection, key: Key, document: T): Promise<T> {
  if ((await collection.create(key, document)) === 'created') return document;
  return (await collection.read<T>(key, document.id))?.value ?? document;
}

export function wavesOn(
  collection: Collection,
  workloads: Store['workloads'],
): Pick<Store, 'waves' | 'gates' | 'attentions' | 'controls'> {
  return {
    waves: {
      async create(wave) {
        const { waveId, plan, createdAt, createdBy } = wave;
        if ((await collection.create([waveId], wave)) === 'exists') {
          const stored = (await collection.read<WaveDocument>([waveId], 'wave'))?.value;
          const registered = await workloads.list(waveId);
          const interrupted =
            stored?.plan.hash === plan.hash &&
            stored.createdBy === createdBy &&
            registered.length < plan.workloads.length;
          if (!interrupted)
            throw terminal(
              'conflict',
              `Wave ${waveId} exists already.`,
              'Choose another id; a stored plan never changes.',
            );
        }
        for (const workload of plan.workloads) await workloads.register(workload, createdAt);
      },
      async get(waveId) {
        return (await collection.read<WaveDocument>([waveId], 'wave'))?.value;
      },
      async list() {
        return collection.query<WaveDocument>({ kind: 'wave' });
      },
      change: (waveId, change) => changeDocument<WaveDocument>(collection, [waveId], 'wave', `wave ${waveId}`, change),
    },
    gates: {
      open: (gate) => createOnce<GateDocument>(collection, [gate.waveId], gate),
      async get(waveId, gateId) {
        const gate = (await collection.read<GateDocument>([waveId], gateId))?.value;
        return gate?.kind === 'gate' ? gate : undefined;
      },
      list: (waveId) => collection.query<GateDocument>({ kind: 'gate', key: [waveId], orderBy: { path: 'openedAt' } }),
      change: async (waveId, gateId, change) =>
        changeDocument<GateDocument>(
          collection,
          [waveId],
          ofKind('gate', gateId),
          `gate ${gateId} of wave ${waveId}`,
          change,
        ),
    },
    attentions: {
      open: (attention) => createOnce<AttentionDocument>(collection, [attention.waveId], attention),
      list: (waveId) =>
        collection.query<AttentionDocument>({ kind: 'attention', key: [waveId], orderBy: { path: 'openedAt' } }),
      change: async (waveId, id, change) =>
        changeDocument<AttentionDocument>(
          collection,
          [waveId],
          ofKind('attention', id),
          `question ${id} of wave ${waveId}`,
          change,
        ),
    },
    controls: {
      put: (control) => collection.put([control.waveId], control),
      list: (waveId) => collection.query<ControlDocument>({ kind: 'control', key: [waveId], orderBy: { path: 'at' } }),
    },
  };
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
