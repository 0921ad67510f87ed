import type { Store } from '../../shared/store/contract.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';
import { refuse } from './problem.ts';
import { wholeNumber } from './query.ts';
import { json, type Route, readers } from './route.ts';

export const workloadRoutes: Route[] = [
  {
    name: 'workloadsGet',
    method: 'GET',
    path: 'waves/{id}/workloads/{wid}',
    allowed: readers,
    async handle({ capabilities: { store }, param }) {
      const { waveId, workloadId, plan, state } = await workloadOf(store, param('id'), param('wid'));
      return json({ waveId, workloadId, plan, state });
    },
  },
  {
    name: 'workloadsEvents',
    method: 'GET',
    path: 'waves/{id}/workloads/{wid}/events',
    allowed: readers,
    async handle({ capabilities: { store }, request, param }) {
      const after = wholeNumber('after', request.query.get('after'), 0, 0, Number.MAX_SAFE_INTEGER);
      const { waveId, workloadId, state } = await workloadOf(store, param('id'), param('wid'));
      const events = (await store.workloads.events(waveId, workloadId, after)).map(({ version, event }) => ({
        version,
        ...event,
      }));
      return json({ events, version: state.version });
    },
  },
];

/** The stored workload, or 404. */
export async function workloadOf(store: Store, waveId: string, workloadId: string): Promise<WorkloadDocument> {
  const workload = await store.workloads.get(waveId, workloadId);
  if (workload === undefined) throw refuse('notFound', `There is no workload "${workloadId}" in wave "${waveId}".`);
  return workload;
}
