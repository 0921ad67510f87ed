// Workloads: the state document and the events that it is the fold of, in one partition.
import { terminal } from '../errors.ts';
import { few } from '../few.ts';
import { emptyChain } from '../journal/chain.ts';
import type { PlatformEvent, WorkloadEvent } from '../lifecycle/events.ts';
import { apply } from '../lifecycle/fold.ts';
import { Phase } from '../lifecycle/phases.ts';
import type { WorkloadState } from '../lifecycle/state.ts';
import type { WorkloadPlan } from '../model/plan.ts';
import { type Collection, optimistically } from './collection.ts';
import type { Store } from './contract.ts';
import type { EventDocument, WorkloadDocument } from './documents.ts';
import { eventDocument, eventDocumentId, foldBatch } from './foldBatch.ts';

const eventsAtMost = 99;

function born(event: WorkloadEvent): { state: WorkloadState } {
  const applied = apply(undefined, event);
  if ('illegal' in applied) throw new Error(applied.illegal);
  return applied;
}

const bornBy = ({ waveId, workloadId }: WorkloadPlan, event: PlatformEvent): EventDocument =>
  eventDocument({ waveId, workloadId }, emptyChain({ waveId, workloadId }), event, undefined, born(event).state);

export function workloadsOn(collection: Collection): Store['workloads'] {
  const known = async (key: string[], ids: readonly string[]): Promise<Set<string>> => {
    const found = await Promise.all(ids.map((id) => collection.read<EventDocument>(key, eventDocumentId(id))));
    return new Set(found.flatMap((read) => (read === undefined ? [] : [read.value.event.id])));
  };
  return {
    async register(plan, at, by, version) {
      const { waveId, workloadId, groupId, hash } = plan;
      const key = [waveId, workloadId];
      const event: PlatformEvent = {
        id: 'registered',
        time: at,
        source: `user:${by}`,
        type: 'landfall.workload.registered',
        data: { groupId, planHash: hash, ...(version === undefined ? {} : { version }) },
      };
      const first = bornBy(plan, event);
      const { state } = born(event);
      const head = { version: first.version, hash: first.hash };
      const document: WorkloadDocument = { id: 'state', kind: 'state', waveId, workloadId, plan, state, head };
      await collection.commit(key, { replace: [], create: [first, document] });
    },

    async get(waveId, workloadId) {
      return (await collection.read<WorkloadDocument>([waveId, workloadId], 'state'))?.value;
    },

    async some(waveId, workloadIds) {
      const read = await few(workloadIds, (id) => collection.read<WorkloadDocument>([waveId, id], 'state'));
      return read.flatMap((found) => (found === undefined ? [] : [found.value]));
    },

    async ofGroup(waveId, groupId) {
      const found = await collection.query<WorkloadDocument>({
        kind: 'state',
        anyOf: [
          { path: 'waveId', values: [waveId] },
          { path: 'plan.groupId', values: [groupId] },
        ],
      });
      return found.filter(({ state }) => state.phase !== Phase.unregistered);
    },

    async list(waveId) {
      const found = await collection.query<WorkloadDocument>({
        kind: 'state',
        anyOf: [{ path: 'waveId', values: [waveId] }],
      });
      return found.filter(({ state }) => state.phase !== Phase.unregistered);
    },

    async append(waveId, workloadId, events, plan) {
      if (events.length > eventsAtMost)
        throw terminal(
          'invalidInput',
          `${events.length} events do not fit into one batch of ${eventsAtMost}.`,
          'Append fewer at once.',
        );
      const key = [waveId, workloadId];
      const ids = events.map(({ id }) => id);
      let applied = new Set<string>();
      let looked = false;
      return optimistically(collection, `workload ${waveId}/${workloadId}`, async () => {
        const read = await collection.read<WorkloadDocument>(key, 'state');
        if (read === undefined)
          throw terminal(
            'notFound',
            `There is no workload ${waveId}/${workloadId}.`,
            'Check the ids of wave and workload.',
          );
        let batch = foldBatch(read.value, events, applied);
        if (batch.outcome.illegal.length > 0 && !looked) {
          // Perhaps it is illegal only because it was applied before.
          applied = await known(key, ids);
          looked = true;
          batch = foldBatch(read.value, events, applied);
        }
        if (batch.created.length === 0) return batch.outcome;
        const document = plan === undefined ? batch.next : { ...batch.next, plan };
        const result = await collection.commit(key, {
          replace: [{ document, etag: read.etag }],
          create: batch.created,
        });
        if (result === 'committed') return batch.outcome;
        applied = await known(key, ids);
        looked = result === 'exists';
        return undefined;
      });
    },

    async events(waveId, workloadId, afterVersion = 0, { types, limit } = {}) {
      return collection.query<EventDocument>({
        kind: 'event',
        key: [waveId, workloadId],
        after: { path: 'version', value: afterVersion },
        orderBy: { path: 'version' },
        ...(types === undefined ? {} : { anyOf: [{ path: 'event.type', values: types }] }),
        ...(limit === undefined ? {} : { limit }),
      });
    },

    async inPlace(waveId, after, limit) {
      return collection.query<EventDocument>({
        kind: 'event',
        anyOf: [{ path: 'waveId', values: [waveId] }],
        noneOf: { path: 'event.type', values: ['landfall.sync.progress'] },
        after: { path: 'place', value: after },
        orderBy: { path: 'place' },
        limit,
      });
    },

    async heads(waveId) {
      const found = await collection.query<WorkloadDocument>({
        kind: 'state',
        anyOf: [{ path: 'waveId', values: [waveId] }],
        fields: ['workloadId', 'head'],
      });
      return found
        .map(({ workloadId, head }) => ({ workloadId, head }))
        .sort((a, b) => (a.workloadId < b.workloadId ? -1 : 1));
    },

    async inPhases(phases) {
      return collection.query<WorkloadDocument>({ kind: 'state', anyOf: [{ path: 'state.phase', values: phases }] });
    },

    async anyInPhases(waveId, phases) {
      const anyOf = [
        { path: 'waveId', values: [waveId] },
        { path: 'state.phase', values: phases },
      ];
      return (await collection.query<WorkloadDocument>({ kind: 'state', anyOf, limit: 1 })).length > 0;
    },

    async withSync(statuses) {
      return collection.query<WorkloadDocument>({
        kind: 'state',
        anyOf: [{ path: 'state.sync.status', values: statuses }],
      });
    },
  };
}
