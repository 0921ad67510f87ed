import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { dismiss } from '../../../shared/store/appliances.ts';
import { workloadOf } from '../../../shared/store/plans.ts';
import { AskPeople, hasCome, mayHaveCome, untilStarted, wantAppliance } from '../../appliances/activities.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });

export const agentPresent = defineActivity({
  name: 'agentPresent',
  input: Workload,
  output: z.boolean(),
  async effect({ store, hosts }, workload) {
    const { source, applianceId } = (await workloadOf(store, workload)).plan;
    return hosts.of(source)?.agents?.installed(source) ?? hasCome(store, applianceId);
  },
});

/** Whether an agent is on the source that is not ours: no wave of ours has registered it. */
export const findAgent = defineActivity({
  name: 'findAgent',
  input: Workload,
  output: z.boolean(),
  async effect({ store, hosts }, workload) {
    const { source, applianceId } = (await workloadOf(store, workload)).plan;
    if ((await store.appliances.get(applianceId)) !== undefined) return false;
    return hosts.of(source)?.agents?.installed(source) ?? false;
  },
});

export const installAgent = defineActivity({
  name: 'installAgent',
  changes: 'the agent on a source',
  retry: untilStarted,
  input: Workload.extend({ operationId: z.string() }),
  output: z.strictObject({
    applianceId: z.string(),
    healthy: z.boolean(),
    byHand: z.literal(true).optional().describe('people are to start it'),
  }),
  async effect(capabilities, { operationId, ...workload }, { changed }) {
    const { store, hosts } = capabilities;
    const { source, applianceId, environmentId } = (await workloadOf(store, workload)).plan;
    const agents = hosts.of(source)?.agents;
    const present = await (agents?.installed(source) ?? hasCome(store, applianceId));
    const wanted = await wantAppliance(
      capabilities,
      { environmentId, applianceId, kind: 'agent', operationId, byHand: agents === undefined },
      present,
    );
    if (wanted.state === 'start') {
      if (agents === undefined) return { applianceId, healthy: false, byHand: true as const };
      await agents.install(source, wanted.bootstrap);
      changed({
        verb: 'installed',
        object: `agent ${applianceId} on ${source.id}`,
        before: present ? 'there' : 'absent',
        after: 'there',
      });
    }
    return { applianceId, healthy: wanted.state === 'healthy' };
  },
});

export const removeAgent = defineActivity({
  name: 'removeAgent',
  changes: 'the agent on a source',
  input: Workload,
  output: z.union([Nothing, AskPeople]),
  async effect({ store, hosts }, workload, { changed }) {
    const { source, applianceId } = (await workloadOf(store, workload)).plan;
    const agents = hosts.of(source)?.agents;
    if (agents === undefined) return { byHand: true as const, present: await mayHaveCome(store, applianceId) };
    await agents.remove(source);
    changed({ verb: 'removed', object: `agent on ${source.id}`, after: 'absent' });
    return null;
  },
});

/** Takes the agent's rights away and forgets it (idempotent). */
export const dismissAgent = defineActivity({
  name: 'dismissAgent',
  changes: 'the rights of an agent',
  input: Workload,
  output: Nothing,
  async effect(reach, workload, { changed }) {
    const { applianceId } = (await workloadOf(reach.store, workload)).plan;
    await dismiss(reach, applianceId);
    changed({ verb: 'dismissed', object: `appliance ${applianceId}`, after: 'without rights' });
    return null;
  },
});
