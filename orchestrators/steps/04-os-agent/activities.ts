import { z } from 'zod';
import { defineActivity } from '../../../shared/durable/activity.ts';
import { workloadOf } from '../../../shared/store/plans.ts';
import { untilStarted, wantAppliance } from '../../appliances/activities.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });

export const agentPresent = defineActivity({
  name: 'agentPresent',
  input: Workload,
  output: z.boolean(),
  async effect({ store, hosts }, workload) {
    const { source } = (await workloadOf(store, workload)).plan;
    return hosts.of(source).agentInstalled(source);
  },
});

export const installAgent = defineActivity({
  name: 'installAgent',
  retry: untilStarted,
  input: Workload.extend({ operationId: z.string() }),
  output: z.strictObject({ applianceId: z.string(), healthy: z.boolean() }),
  async effect(capabilities, { operationId, ...workload }) {
    const { store, hosts } = capabilities;
    const { source, applianceId, environmentId } = (await workloadOf(store, workload)).plan;
    const present = await hosts.of(source).agentInstalled(source);
    const wanted = await wantAppliance(
      capabilities,
      { environmentId, applianceId, kind: 'agent', operationId },
      present,
    );
    if (wanted.state === 'start') await hosts.of(source).installAgent(source, wanted.bootstrap);
    return { applianceId, healthy: wanted.state === 'healthy' };
  },
});

export const removeAgent = defineActivity({
  name: 'removeAgent',
  input: Workload,
  output: z.strictObject({ applianceId: z.string() }),
  async effect({ store, hosts }, workload) {
    const { source, applianceId } = (await workloadOf(store, workload)).plan;
    await hosts.of(source).removeAgent(source);
    return { applianceId };
  },
});
