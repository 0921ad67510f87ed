// Workloads: the state document and the events that it is the fold of, in one partition.
import { terminal } from '../errors.ts';
import type { PlatformEvent } from '../lifecycle/events.ts';
import { apply } from '../lifecycle/fold.ts';
import { type Collection, optimistically } from './collection.ts';
import type { Store } from './contract.ts';
import type { EventDocument, WorkloadDocument } from './documents.ts';
import { eventDocumentId, foldBatch } from './foldBatch.ts';

const eventsAtMost = 99;

export function workloadsOn(collection: Collection): Store['workloads'] {
  const known = async (key: string[], ids: readonly string[]): Promise<Set<string>> => {
    const found = await Promise.all(ids.map((id) => collection.read<EventDocument>(key, eventDocumentId(id))));
    return new Set(found.flatMap((read) => (read === undefined ? [] : [read.value.event.id])));
  };
  return {
    async register(plan, at) {
      const { waveId, workloadId, groupId, hash } = plan;
      const key = [waveId, workloadId];
      const event: PlatformEvent = {
        id: 'registered',
        time: at,
        source: 'platform',
        type: 'landfall.workload.registered',
        data: { groupId, planHash: hash },
      };
      const born = apply(undefined, event);
      if ('illegal' in born) throw new Error(born.illegal);
      // The event first: a state document promises that its events are there.
      const eventDocument: EventDocument = {
        id: eventDocumentId(event.id),
        kind: 'event',
        waveId,
        workloadId,
        version: 1,
        event,
      };
      await collection.create(key, eventDocument);
      const document: WorkloadDocument = { id: 'state', kind: 'state', waveId, workloadId, plan, state: born.state };
      await collection.create(key, document);
    },

    async get(waveId, workloadId) {
      return (await collection.read<WorkloadDocument>([waveId, workloadId], 'state'))?.value;
    },

    async list(waveId) {
      return collection.query<WorkloadDocument>({ kind: 'state', anyOf: { path: 'waveId', values: [waveId] } });
    },

    async append(waveId, workloadId, events) {
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
        const result = await collection.commit(key, { replace: batch.next, etag: read.etag, create: batch.created });
        if (result === 'committed') return batch.outcome;
        applied = await known(key, ids);
        looked = result === 'exists';
        return undefined;
      });
    },

    async events(waveId, workloadId, afterVersion = 0) {
      return collection.query<EventDocument>({
        kind: 'event',
        key: [waveId, workloadId],
        after: { path: 'version', value: afterVersion },
        orderBy: { path: 'version' },
      });
    },

    async inPhases(phases) {
      return collection.query<WorkloadDocument>({ kind: 'state', anyOf: { path: 'state.phase', values: phases } });
    },

    async withSync(statuses) {
      return collection.query<WorkloadDocument>({
        kind: 'state',
        anyOf: { path: 'state.sync.status', values: statuses },
      });
    },
  };
}
