import { fitsOf, fitView } from './fitView.ts';
import { json, type Route, readers } from './route.ts';
import { waveOf } from './waves.ts';

export const fitRoutes: Route[] = [
  {
    name: 'wavesFit',
    method: 'GET',
    path: 'waves/{id}/fit',
    allowed: readers,
    async handle({ capabilities: { store, now }, param }) {
      const wave = await waveOf(store, param('id'));
      const at = now();
      const fits = fitsOf(wave, await store.plans.groups(wave.plan), await store.workloads.list(wave.waveId), at);
      const groups = [...fits].map(([groupId, fit]) => fitView(groupId, fit));
      return json({ waveId: wave.waveId, at, zone: wave.plan.zone, windows: wave.plan.windows, groups });
    },
  },
];
