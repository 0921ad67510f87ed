// Whether the region has room for what a wave is still to launch: one machine for each workload, its clone or its target.
import { Phase } from '../../shared/lifecycle/phases.ts';
import { quotasFor, shortfalls } from '../../shared/policy/capacity.ts';
import { environmentOf } from '../../shared/store/plans.ts';
import { json, type Route, readers } from './route.ts';
import { waveOf } from './waves.ts';

/** Phases whose target counts in the quota already, or will never be made. */
const settled: ReadonlySet<Phase> = new Set([
  Phase.launching,
  Phase.trafficMoved,
  Phase.validating,
  Phase.committed,
  Phase.withdrawn,
  Phase.unregistered,
]);

export const capacityRoutes: Route[] = [
  {
    name: 'wavesCapacity',
    method: 'GET',
    path: 'waves/{id}/capacity',
    allowed: readers,
    async handle({ capabilities: { store, azure, now }, param }) {
      const { waveId, plan } = await waveOf(store, param('id'));
      const workloads = await store.workloads.list(waveId);
      const ahead = workloads.filter(({ state }) => !settled.has(state.remembered ?? state.phase));
      const wanted = ahead.map((workload) => workload.plan.settings.sizing.vmSize);
      const capacity = await azure.capacity(await environmentOf(store, plan.environment.id));
      const common = { waveId, at: now(), machines: wanted.length, known: capacity.known };
      if (!capacity.known) return json({ ...common, reason: capacity.reason });
      const { facts } = capacity;
      return json({ ...common, quotas: quotasFor(wanted, facts), shortfalls: shortfalls(wanted, facts) });
    },
  },
];
