// Waves: posted, planned, looked at.
import { WaveDefinition } from '../../shared/model/wave.ts';
import type { Store } from '../../shared/store/contract.ts';
import type { WaveDocument } from '../../shared/store/documents.ts';
import { post } from '../../shared/versions/post.ts';
import { readBody, waveBytesAtMost } from './body.ts';
import { etagOf } from './etag.ts';
import { pathOfPlan } from './pathView.ts';
import { findingsOf, planOf, refuseBlocking } from './planning.ts';
import { refuse } from './problem.ts';
import { wholeNumber } from './query.ts';
import { json, type Route, readers } from './route.ts';
import { waveView } from './waveView.ts';

export const waveRoutes: Route[] = [
  {
    name: 'wavesPost',
    method: 'POST',
    path: 'waves',
    allowed: ['planner'],
    async handle({ capabilities: { store, now }, request, person }) {
      const definition = await readBody(request, WaveDefinition, waveBytesAtMost);
      const plan = await planOf(store, definition, now());
      const findings = findingsOf(plan);
      if (request.query.get('dryRun') === 'true')
        return json({ plan, findings, criticalPath: pathOfPlan(plan, now()) });
      refuseBlocking(definition, findings);
      await post(store, { definition, plan, by: person.subject, at: now() });
      return json({ plan, findings }, 201, { location: `/api/waves/${plan.waveId}` });
    },
  },
  {
    name: 'wavesList',
    method: 'GET',
    path: 'waves',
    allowed: readers,
    async handle({ capabilities: { store } }) {
      const waves = await store.waves.list();
      const rows = waves.map(({ waveId, plan, status, reason, createdAt, startedAt, endedAt, attempt }) => ({
        waveId,
        name: plan.name,
        environment: plan.environment.id,
        status,
        reason,
        windows: plan.windows,
        zone: plan.zone,
        workloads: plan.size,
        createdAt,
        startedAt,
        endedAt,
        attempt,
      }));
      return json({ waves: rows.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)) });
    },
  },
  {
    name: 'wavesGet',
    method: 'GET',
    path: 'waves/{id}',
    allowed: readers,
    async handle({ capabilities, request: { query }, param }) {
      const wave = await waveOf(capabilities.store, param('id'));
      const limit = wholeNumber('limit', query.get('limit'), 500, 1, 1000);
      const view = await waveView(capabilities, wave, { limit, after: query.get('after') ?? undefined });
      return json(view, 200, { etag: etagOf(wave) });
    },
  },
];

/** The stored wave, or 404. */
export async function waveOf(store: Store, waveId: string): Promise<WaveDocument> {
  const wave = await store.waves.get(waveId);
  if (wave === undefined) throw refuse('notFound', `There is no wave "${waveId}".`);
  return wave;
}
