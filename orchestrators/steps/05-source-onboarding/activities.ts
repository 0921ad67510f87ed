import { z } from 'zod';
import { defineActivity } from '../../../shared/durable/activity.ts';
import { preflight } from '../../../shared/policy/preflight.ts';
import { applianceEventData } from '../../../shared/protocol/events.ts';
import { workloadOf } from '../../../shared/store/plans.ts';

export const Finding = z.strictObject({
  rule: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  message: z.string(),
  suggestion: z.string(),
});

/** Runs the preflight rules on what the appliance saw and what the host says. */
export const preflightSource = defineActivity({
  name: 'preflightSource',
  input: z.strictObject({
    waveId: z.string(),
    workloadId: z.string(),
    described: applianceEventData['landfall.source.described'],
  }),
  output: z.array(Finding),
  async effect({ store, hosts }, { described, ...workload }) {
    const { plan } = await workloadOf(store, workload);
    const machine = await hosts.of(plan.source).inspect(plan.source);
    return preflight(plan.source, { described, machine });
  },
});
