// The evidence pack of a wave, as data and as a page.
import { buildPack } from '../../shared/evidence/build.ts';
import { evidenceHtml } from '../../shared/evidence/html.ts';
import type { EvidencePack } from '../../shared/evidence/pack.ts';
import { verifyWave } from '../../shared/journal/verifyWave.ts';
import { type PlatformEventType, platformEventData } from '../../shared/lifecycle/events.ts';
import type { Store } from '../../shared/store/contract.ts';
import type { EntryDocument, EventDocument, WaveDocument } from '../../shared/store/documents.ts';
import { refuse } from './problem.ts';
import { wholeNumber } from './query.ts';
import { json, type Route, readers } from './route.ts';
import { waveOf } from './waves.ts';

const pageSize = 500;

export const evidenceRoutes: Route[] = [
  {
    name: 'wavesEvidence',
    method: 'GET',
    path: 'waves/{id}/evidence',
    allowed: readers,
    async handle({ capabilities: { store, now }, request, param }) {
      const wave = await waveOf(store, param('id'));
      const { query } = request;
      const format = query.get('format') ?? 'json';
      if (format !== 'json' && format !== 'html')
        throw refuse('invalidInput', `There is no evidence as "${format}": ask for json or html.`);
      const limit = wholeNumber('limit', query.get('limit'), 25, 0, 50);
      const pack = await packOf(store, wave, query.get('after') ?? '', limit, now());
      if (format === 'json') return json(pack);
      const link = (after: string) => `?format=html&limit=${limit}&after=${encodeURIComponent(after)}`;
      return {
        status: 200,
        headers: {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        },
        body: evidenceHtml(pack, link),
      };
    },
  },
];

/** Rows for all workloads; sections, and recomputed journals, for those of one page. */
async function packOf(
  store: Store,
  wave: WaveDocument,
  after: string,
  limit: number,
  at: string,
): Promise<EvidencePack> {
  const { waveId } = wave;
  const workloads = await store.workloads.list(waveId);
  const later = workloads
    .map(({ workloadId }) => workloadId)
    .filter((id) => id > after)
    .sort();
  const shown = later.slice(0, limit);
  const [entries, verification, events] = await Promise.all([
    entriesOf(store, waveId),
    verifyWave(store, waveId, shown),
    Promise.all(shown.map(async (id): Promise<[string, EventDocument[]]> => [id, await eventsOf(store, waveId, id)])),
  ]);
  const next = later.length > shown.length ? (shown.at(-1) ?? '') : undefined;
  const groups = await store.plans.groups(wave.plan);
  return buildPack({ wave, groups, workloads, entries, verification, events: new Map(events), builtAt: at, next });
}

async function entriesOf(store: Store, waveId: string): Promise<EntryDocument[]> {
  const entries: EntryDocument[] = [];
  for (;;) {
    const page = await store.journal.entries(waveId, entries.at(-1)?.version, pageSize);
    entries.push(...page);
    if (page.length < pageSize) return entries;
  }
}

/** What the platform has decided and done; what appliances report is in the evidence of steps. */
const shownTypes = Object.keys(platformEventData) as PlatformEventType[];

const eventsOf = (store: Store, waveId: string, workloadId: string): Promise<EventDocument[]> =>
  store.workloads.events(waveId, workloadId, 0, { types: shownTypes });
