import { z } from 'zod';
import { defineActivity } from '../../../shared/durable/activity.ts';
import { capacityRules, preflight } from '../../../shared/policy/preflight.ts';
import { applianceEventData } from '../../../shared/protocol/events.ts';
import { environmentOf, workloadOf } from '../../../shared/store/plans.ts';

export const Finding = z.strictObject({
  rule: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  message: z.string(),
  suggestion: z.string(),
});

/** Runs the preflight rules on what the appliance saw, what the host says and what the region offers. */
export const preflightSource = defineActivity({
  name: 'preflightSource',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    described: applianceEventData['landfall.source.described'],
  }),
  output: z.array(Finding),
  async effect({ store, hosts, azure }, { described, ...workload }) {
    const { plan } = await workloadOf(store, workload);
    const machine = await hosts.of(plan.source)?.inspect(plan.source);
    const capacity = await azure.capacity(await environmentOf(store, plan.environmentId));
    return [...preflight(plan.source, { described, machine }), ...capacityRules(plan.settings.sizing.vmSize, capacity)];
  },
});
