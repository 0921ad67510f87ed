// What a wave may change, facet by facet: each belongs to the step that changes it and whose undo has to put it back.
// Read from Azure with its SDKs, from the laboratory, and from the API; replicated points are left out, they are kept.
import type { Stage } from '../../../examples/harness/stage.ts';
import { askMachine } from '../../../examples/lab/control.ts';
import { createClients } from '../../../shared/azure/clients.ts';
import { deltaPhases } from '../../../shared/lifecycle/phases.ts';
import type { WavePlan } from '../../../shared/model/plan.ts';
import type { StepName } from '../../../shared/model/steps.ts';

/** Steps that change nothing outside of Landfall, and therefore have nothing to put back. */
export const changeNothing: readonly StepName[] = ['sourceOnboarding', 'finalValidation'];

export type Facets = Record<Exclude<StepName, 'sourceOnboarding' | 'finalValidation'>, string[]>;

/** Everything that a wave may change, as it is now; each facet a sorted list of lines. */
export async function facetsOf(stage: Stage, plan: WavePlan): Promise<Facets> {
  const [resources, roles, records, appliances, states, machines] = await Promise.all([
    resourcesOf(stage, plan),
    rolesOf(stage, plan),
    recordsOf(stage, plan),
    stage.asAda.appliances(),
    Promise.all(plan.workloads.map(({ workloadId }) => stage.asAda.workload(plan.waveId, workloadId))),
    Promise.all(
      plan.workloads.map(({ source }) => stage.lab.inspect(source.id).then((seen) => ({ id: source.id, ...seen }))),
    ),
  ]);
  const ids = (kind: string) =>
    appliances.flatMap(({ applianceId }) => (applianceId.startsWith(kind) ? [applianceId] : []));
  const ofAppliance = (line: string) =>
    line.includes('landfall-appliance') || line.includes(`target-${plan.environment.id}`);
  const isClone = (line: string) => line.includes('-uat') || line.includes('lf-isolated-');
  const syncing = states.map(({ state }) => ({ ...state.sync, phase: state.phase }));
  return sorted({
    targetIam: roles,
    migrationAppliance: [...resources.filter(ofAppliance), ...ids('target-')],
    sourceWorker: [
      ...ids('worker-'),
      ...stage.appliances().flatMap(({ name }) => (name.includes('worker') ? [name] : [])),
    ],
    osAgent: [...ids('agent-'), ...machines.map(({ id, agentInstalled }) => `${id} agent ${agentInstalled}`)],
    initialSync: syncing.flatMap(({ kind, status }) =>
      kind === 'initial' && status !== 'idle' ? [`initial sync ${status}`] : [],
    ),
    deltaSyncs: syncing.flatMap(({ phase, kind, status }) => [
      ...(deltaPhases.has(phase) && status !== 'paused' ? ['deltas'] : []),
      ...(kind === 'delta' && status !== 'idle' && status !== 'paused' ? [`delta sync ${status}`] : []),
    ]),
    uat: resources.filter(isClone),
    stopServices: await servicesOf(stage, plan),
    finalDelta: machines.map(({ id, power, nicConnected }) => `${id} ${power}, NIC ${nicConnected}`),
    postCutover: [...resources.filter((line) => !isClone(line) && !ofAppliance(line)), ...records],
  });
}

/** The resource group and what is in it, with tags; and which security group each network interface stands behind. */
async function resourcesOf(stage: Stage, { environment }: WavePlan): Promise<string[]> {
  const { subscriptionId, resourceGroup } = environment;
  const clients = createClients(stage.cloud.endpoints['arm.endpoint'], stage.ada);
  const { resources, resourceGroups } = clients.resources(subscriptionId);
  const lines = [`${resourceGroup} ${JSON.stringify((await resourceGroups.get(resourceGroup)).tags ?? {})}`];
  for await (const { type, name, tags } of resources.listByResourceGroup(resourceGroup))
    lines.push(`${type} ${name} ${JSON.stringify(tags ?? {})}`);
  for await (const nic of clients.network(subscriptionId).networkInterfaces.list(resourceGroup))
    lines.push(`${nic.name} behind ${nic.networkSecurityGroup?.id?.split('/').at(-1) ?? 'nothing'}`);
  return lines;
}

/** Who has which role in the resource group, and which roles there are besides the built-in ones. */
async function rolesOf(stage: Stage, { environment }: WavePlan): Promise<string[]> {
  const { subscriptionId, resourceGroup } = environment;
  const { roleAssignments, roleDefinitions } = createClients(
    stage.cloud.endpoints['arm.endpoint'],
    stage.ada,
  ).authorization(subscriptionId);
  const group = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  const lines: string[] = [];
  for await (const { principalId, scope, roleDefinitionId } of roleAssignments.listForScope(group))
    lines.push(`${principalId} ${roleDefinitionId?.split('/').at(-1)} at ${scope}`);
  for await (const { roleName } of roleDefinitions.list(group, { filter: "type eq 'CustomRole'" }))
    lines.push(`the role ${roleName}`);
  return lines;
}

/** All record sets of the zones in which the plan's actions move any: values, time to live, metadata. */
async function recordsOf(stage: Stage, { environment, workloads }: WavePlan): Promise<string[]> {
  const { subscriptionId, resourceGroup } = environment;
  const { recordSets } = createClients(stage.cloud.endpoints['arm.endpoint'], stage.ada).dns(subscriptionId);
  const zones = workloads.flatMap(({ settings }) =>
    settings.cutover.actions.flatMap((action) => (action.kind === 'dns' ? [action.zoneId.split('/').at(-1)] : [])),
  );
  const lines: string[] = [];
  for (const zone of new Set(zones))
    for await (const { type, name, ttl, aRecords, cnameRecord, metadata } of recordSets.listByDnsZone(
      resourceGroup,
      zone ?? '',
    ))
      lines.push(
        `${type?.split('/').at(-1)} ${name}.${zone} ${ttl} ${JSON.stringify([aRecords, cnameRecord, metadata])}`,
      );
  return lines;
}

async function servicesOf(stage: Stage, { workloads }: WavePlan): Promise<string[]> {
  const named = workloads.flatMap(({ source }) => source.services.map(({ name }) => ({ id: source.id, name })));
  return Promise.all(
    named.map(async ({ id, name }) => {
      const ask = async (command: 'status' | 'mode') =>
        (await askMachine(stage.lab.machineDirOf(id), { command, service: name }))?.text ?? 'off';
      return `${id} ${name} ${await ask('status')}, starts ${await ask('mode')}`;
    }),
  );
}

/** The facets in which two looks differ. */
export const differing = (one: Facets, other: Facets): string[] =>
  Object.entries(one).flatMap(([facet, lines]) =>
    lines.join('\n') === other[facet as keyof Facets].join('\n') ? [] : [facet],
  );

function sorted(facets: Facets): Facets {
  return Object.fromEntries(Object.entries(facets).map(([step, lines]) => [step, lines.toSorted()])) as Facets;
}
