// The journal of a wave: its own entries and its workloads' events, and whether they are what was written.
import { type ShownEntry, showEntry, showEvent } from '../../shared/journal/show.ts';
import { verifyWave } from '../../shared/journal/verifyWave.ts';
import type { Store } from '../../shared/store/contract.ts';
import { wholeNumber } from './query.ts';
import { json, type Route, readers } from './route.ts';
import { waveOf } from './waves.ts';
import { workloadOf } from './workloads.ts';

const mostAtOnce = 500;

export const journalRoutes: Route[] = [
  {
    name: 'journalGet',
    method: 'GET',
    path: 'waves/{id}/journal',
    allowed: readers,
    async handle({ capabilities: { store }, request, param }) {
      const { waveId } = await waveOf(store, param('id'));
      const { query } = request;
      const limit = wholeNumber('limit', query.get('limit'), 200, 1, mostAtOnce);
      const workloadId = query.get('workload');
      const own = query.get('own') === 'true';
      if (workloadId === null && !own) return json(await merged(store, waveId, query.get('after') ?? '', limit));
      const after = wholeNumber('after', query.get('after'), 0, 0, Number.MAX_SAFE_INTEGER);
      const entries = await ofOne(store, waveId, workloadId, after, limit);
      const next = entries.length < limit ? undefined : String(entries.at(-1)?.version);
      return json({ entries, next });
    },
  },
  {
    name: 'journalVerify',
    method: 'GET',
    path: 'waves/{id}/journal/verify',
    allowed: readers,
    async handle({ capabilities: { store }, request, param }) {
      const { waveId } = await waveOf(store, param('id'));
      const workloadId = request.query.get('workload') ?? undefined;
      if (workloadId !== undefined) await workloadOf(store, waveId, workloadId);
      return json(await verifyWave(store, waveId, workloadId === undefined ? undefined : [workloadId]));
    },
  },
];

/** All journals of the wave as one, by time. */
async function merged(store: Store, waveId: string, after: string, limit: number) {
  const [own, events] = await Promise.all([
    store.journal.inPlace(waveId, after, limit),
    store.workloads.inPlace(waveId, after, limit),
  ]);
  const all = [
    ...own.map((document) => ({ place: document.place, shown: showEntry(document) })),
    ...events.map((document) => ({ place: document.place, shown: showEvent(document) })),
  ].sort((a, b) => (a.place < b.place ? -1 : 1));
  const page = all.slice(0, limit);
  return { entries: page.map(({ shown }) => shown), next: page.length < limit ? undefined : page.at(-1)?.place };
}

async function ofOne(
  store: Store,
  waveId: string,
  workloadId: string | null,
  after: number,
  limit: number,
): Promise<ShownEntry[]> {
  if (workloadId === null) return (await store.journal.entries(waveId, after, limit)).map(showEntry);
  await workloadOf(store, waveId, workloadId);
  return (await store.workloads.events(waveId, workloadId, after, { limit })).map(showEvent);
}
