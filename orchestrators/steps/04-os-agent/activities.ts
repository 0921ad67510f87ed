import { z } from 'zod';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { terminal } from '../../../shared/errors.ts';
import type { Agents, Hosts } from '../../../shared/hosts/contract.ts';
import { agentCommands } from '../../../shared/model/agentCommands.ts';
import { applianceIds } from '../../../shared/model/plan.ts';
import type { Source } from '../../../shared/model/source.ts';
import { dismiss } from '../../../shared/store/appliances.ts';
import { workloadOf } from '../../../shared/store/plans.ts';
import { AskPeople, hasCome, mayHaveCome, untilStarted, wantAppliance } from '../../appliances/activities.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });

/** What puts agents onto a source, where that is its host: a source that names a way over SSH has that one. */
const agentsOf = (hosts: Hosts, source: Source): Agents | undefined =>
  source.agent === undefined ? hosts.of(source)?.agents : undefined;

/** The answer where the target appliance is to remove an agent, if one was sent there. */
const AskTarget = z.strictObject({ pushed: z.literal(true), present: z.boolean() });

export const agentPresent = defineActivity({
  name: 'agentPresent',
  input: Workload,
  output: z.boolean(),
  async effect({ store, hosts }, workload) {
    const { source, applianceId } = (await workloadOf(store, workload)).plan;
    return agentsOf(hosts, source)?.installed(source) ?? hasCome(store, applianceId);
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
    return agentsOf(hosts, source)?.installed(source) ?? false;
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
    pushed: z.literal(true).optional().describe('the target appliance is to put it there'),
  }),
  async effect(capabilities, { operationId, ...workload }, { changed }) {
    const { store, hosts, ssh } = capabilities;
    const { source, applianceId, environmentId } = (await workloadOf(store, workload)).plan;
    const to = source.agent?.ssh;
    // Before anything is registered: what the settings do not allow is not begun.
    if (to !== undefined) ssh.require(to.credential, to.host ?? source.hostName);
    const agents = agentsOf(hosts, source);
    const present = await (agents?.installed(source) ?? hasCome(store, applianceId));
    const wanted = await wantAppliance(
      capabilities,
      { environmentId, applianceId, kind: 'agent', operationId, byHand: agents === undefined && to === undefined },
      present,
    );
    if (to !== undefined)
      return {
        applianceId,
        healthy: wanted.state === 'healthy',
        ...(wanted.state !== 'healthy' && { pushed: true as const }),
      };
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
  output: z.union([Nothing, AskPeople, AskTarget]),
  async effect({ store, hosts }, workload, { changed }) {
    const { source, applianceId } = (await workloadOf(store, workload)).plan;
    if (source.agent !== undefined) {
      const known = await store.appliances.get(applianceId);
      return { pushed: true as const, present: known?.push !== undefined };
    }
    const agents = agentsOf(hosts, source);
    if (agents === undefined) return { byHand: true as const, present: await mayHaveCome(store, applianceId) };
    await agents.remove(source);
    changed({ verb: 'removed', object: `agent on ${source.id}`, after: 'absent' });
    return null;
  },
});

/** Asks the target appliance to put the agent onto its source over SSH, or to take it away. */
export const pushAgent = defineActivity({
  name: 'pushAgent',
  changes: 'the agent on a source',
  input: Workload.extend({ operationId: z.string(), verb: z.enum(['install', 'remove']) }),
  output: Nothing,
  async effect({ store, bus, ssh }, { operationId, verb, ...workload }, { changed }) {
    const { source, applianceId, environmentId } = (await workloadOf(store, workload)).plan;
    if (source.agent === undefined)
      throw terminal('invalidInput', `The source ${source.id} names no way over SSH.`, 'Plan the wave anew.');
    const { credential, ...to } = source.agent.ssh;
    const host = to.host ?? source.hostName;
    ssh.require(credential, host);
    const by = applianceIds.target(environmentId);
    // What it may fetch, and for which operation: before it is asked.
    await store.appliances.change(applianceId, (agent) => ({ ...agent, push: { by, operationId, credential, host } }));
    const data = { ...workload, agentId: applianceId, ssh: { ...to, host } };
    await bus.publish(
      verb === 'install'
        ? { type: 'landfall.agent.install', operationId, aud: by, data: { ...data, commands: agentCommands(source) } }
        : { type: 'landfall.agent.remove', operationId, aud: by, data },
    );
    changed({ verb: 'sent', object: `landfall.agent.${verb} to ${by}` });
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
