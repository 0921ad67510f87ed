import { z } from 'zod';
import type { Azure, DnsRecord } from '../../../shared/azure/contract.ts';
import { defineActivity, Nothing } from '../../../shared/durable/activity.ts';
import { terminal } from '../../../shared/errors.ts';
import type { Environment } from '../../../shared/model/environment.ts';
import type { CutoverAction } from '../../../shared/model/settings.ts';
import { environmentOf, workloadOf } from '../../../shared/store/plans.ts';

const Workload = z.strictObject({ waveId: z.string(), workloadId: z.string() });
const Group = z.strictObject({ waveId: z.string(), workloadIds: z.array(z.string()) });

/** A record set as it was before the wave; null: it did not exist. */
export const RecordBefore = z.strictObject({
  zoneId: z.string(),
  record: z.string(),
  type: z.enum(['A', 'CNAME']),
  workloadId: z.string().optional(),
  value: z.strictObject({ ttlSeconds: z.number(), values: z.array(z.string()) }).nullable(),
});

export const captureRecords = defineActivity({
  name: 'captureRecords',
  input: Group,
  output: z.array(RecordBefore),
  async effect({ store, azure }, { waveId, workloadIds }) {
    const records: z.infer<typeof RecordBefore>[] = [];
    for (const workloadId of workloadIds)
      for (const action of (await workloadOf(store, { waveId, workloadId })).plan.settings.cutover.actions) {
        if (action.kind !== 'dns') continue;
        const { zoneId, record, type } = action;
        records.push({ zoneId, record, type, workloadId, value: (await azure.dns.get(zoneId, record, type)) ?? null });
      }
    return records;
  },
});

/** The plan's actions of one workload, in order: those that move its traffic, or the others. */
export const listActions = defineActivity({
  name: 'listActions',
  input: Workload.extend({ moveTraffic: z.boolean(), leaveOut: z.array(z.string()) }),
  output: z.array(z.int()),
  async effect({ store }, { moveTraffic, leaveOut, ...workload }) {
    const { actions } = (await workloadOf(store, workload)).plan.settings.cutover;
    const wanted = ({ kind, name }: CutoverAction) => (kind === 'dns') === moveTraffic && !leaveOut.includes(name);
    return actions.flatMap((action, index) => (wanted(action) ? [index] : []));
  },
});

/** Those of the group's workloads whose traffic has not moved yet. */
export const withoutTraffic = defineActivity({
  name: 'withoutTraffic',
  input: Group,
  output: z.array(z.string()),
  async effect({ store }, { waveId, workloadIds }) {
    const workloads = await store.workloads.list(waveId);
    const moved = new Set(
      workloads.filter(({ state }) => state.phase === 'trafficMoved').map(({ workloadId }) => workloadId),
    );
    return workloadIds.filter((workloadId) => !moved.has(workloadId));
  },
});

export const Applied = z.strictObject({
  workloadId: z.string(),
  action: z.string(),
  before: z.string(),
  after: z.string(),
});
export type Applied = z.infer<typeof Applied>;

/** Does one action; setting what is set already changes nothing. */
export const applyAction = defineActivity({
  name: 'applyAction',
  changes: 'what a cutover action names',
  input: Workload.extend({ index: z.int() }),
  output: Applied,
  async effect({ store, azure }, { index, ...workload }, { changed }) {
    const { plan } = await workloadOf(store, workload);
    const action = plan.settings.cutover.actions[index];
    if (action === undefined)
      throw terminal(
        'invalidInput',
        `${plan.workloadId} has no cutover action ${index}.`,
        'The plan is immutable; this is a bug.',
      );
    const change = await perform(azure, await environmentOf(store, plan.environmentId), plan.target.name, action);
    changed({ verb: 'applied', object: `action ${action.name} (${action.kind})`, ...change });
    return { workloadId: plan.workloadId, action: action.name, ...change };
  },
});

async function perform(
  azure: Azure,
  environment: Environment,
  machine: string,
  action: CutoverAction,
): Promise<{ before: string; after: string }> {
  switch (action.kind) {
    case 'networkSecurityGroup': {
      const before = (await azure.network.machineSecurityGroup(environment, machine)) ?? 'none';
      await azure.network.setMachineSecurityGroup(environment, machine, action.networkSecurityGroupId);
      return { before, after: action.networkSecurityGroupId };
    }
    case 'tags': {
      const names = Object.keys(action.tags);
      const before = (await azure.compute.findMachine(environment, machine))?.tags ?? {};
      await azure.compute.setTags(environment, machine, action.tags);
      return { before: spellTags(before, names), after: spellTags(action.tags, names) };
    }
    case 'dns': {
      const { zoneId, record, type, ttlSeconds } = action;
      const address = await azure.compute.privateAddress(environment, machine);
      if (address === undefined && action.value.includes('{target.ip}'))
        throw terminal(
          'notFound',
          `The target ${machine} has no private address that ${record} could lead to.`,
          'Look at its network interface in Azure, then retry or roll back.',
        );
      const wanted: DnsRecord = { ttlSeconds, values: [action.value.replaceAll('{target.ip}', address ?? '')] };
      const before = await azure.dns.get(zoneId, record, type);
      await azure.dns.set(zoneId, record, type, wanted);
      return { before: before?.values.join(', ') ?? 'absent', after: wanted.values.join(', ') };
    }
  }
}

/** Those of a workload's actions, of the names that were done, that are no longer as they were left; in words. */
export const undoneActions = defineActivity({
  name: 'undoneActions',
  input: Workload.extend({ names: z.array(z.string()) }),
  output: z.array(z.string()),
  async effect({ store, azure }, { names, ...workload }) {
    const { plan } = await workloadOf(store, workload);
    const environment = await environmentOf(store, plan.environmentId);
    const found: string[] = [];
    for (const action of plan.settings.cutover.actions.filter(({ name }) => names.includes(name))) {
      const { is, wanted } = await compare(azure, environment, plan.target.name, action);
      if (is !== wanted) found.push(`${action.name} (${action.kind}) is ${is} instead of ${wanted}`);
    }
    return found;
  },
});

async function compare(
  azure: Azure,
  environment: Environment,
  machine: string,
  action: CutoverAction,
): Promise<{ is: string; wanted: string }> {
  switch (action.kind) {
    case 'networkSecurityGroup': {
      const is = (await azure.network.machineSecurityGroup(environment, machine)) ?? 'none';
      const wanted = action.networkSecurityGroupId;
      // Azure spells the ids of resources in whatever case it likes.
      return { is: is.toLowerCase() === wanted.toLowerCase() ? wanted : is, wanted };
    }
    case 'tags': {
      const names = Object.keys(action.tags);
      const tags = (await azure.compute.findMachine(environment, machine))?.tags ?? {};
      return { is: spellTags(tags, names), wanted: spellTags(action.tags, names) };
    }
    case 'dns': {
      const address = (await azure.compute.privateAddress(environment, machine)) ?? '';
      const is = (await azure.dns.get(action.zoneId, action.record, action.type))?.values.join(', ') ?? 'absent';
      return { is, wanted: action.value.replaceAll('{target.ip}', address) };
    }
  }
}

function spellTags(tags: Record<string, string>, names: string[]): string {
  return names.map((name) => (tags[name] === undefined ? `${name} absent` : `${name}=${tags[name]}`)).join(', ');
}

export const restoreRecord = defineActivity({
  name: 'restoreRecord',
  changes: 'a DNS record',
  input: z.strictObject({ waveId: z.string(), before: RecordBefore }),
  output: Nothing,
  async effect({ azure }, { before: { zoneId, record, type, value, workloadId } }, { changed }) {
    const now = (await azure.dns.get(zoneId, record, type)) ?? 'absent';
    if (value === null) await azure.dns.remove(zoneId, record, type);
    else await azure.dns.set(zoneId, record, type, value);
    const whose = workloadId === undefined ? {} : { workloadId };
    changed({
      ...whose,
      verb: 'restored',
      object: `${type} ${record} in ${zoneId}`,
      before: now,
      after: value ?? 'absent',
    });
    return null;
  },
});
