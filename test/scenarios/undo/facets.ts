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
    deltaSyncs: syncing.flatMap(({ phase, status }) =>
      deltaPhases.has(phase) && status !== 'paused' ? ['deltas'] : [],
    ),
    uat: resources.filter(isClone),
    stopServices: await servicesOf(stage, plan),
    finalDelta: machines.map(({ id, power, nicConnected }) => `${id} ${power}, NIC ${nicConnected}`),
    postCutover: [...resources.filter((line) => !isClone(line) && !ofAppliance(line)), ...records],
  });
}

/** What is in the resource group, with tags; and which security group each network interface stands behind. */
async function resourcesOf(stage: Stage, { environment }: WavePlan): Promise<string[]> {
  const { subscriptionId, resourceGroup } = environment;
  const clients = createClients(stage.cloud.endpoints['arm.endpoint'], stage.ada);
  const lines: string[] = [];
  for await (const { type, name, tags } of clients
    .resources(subscriptionId)
    .resources.listByResourceGroup(resourceGroup))
    lines.push(`${type} ${name} ${JSON.stringify(tags ?? {})}`);
  for await (const nic of clients.network(subscriptionId).networkInterfaces.list(resourceGroup))
    lines.push(`${nic.name} behind ${nic.networkSecurityGroup?.id?.split('/').at(-1) ?? 'nothing'}`);
  return lines;
}

async function rolesOf(stage: Stage, { environment }: WavePlan): Promise<string[]> {
  const { subscriptionId, resourceGroup, identities } = environment;
  const { roleAssignments } = createClients(stage.cloud.endpoints['arm.endpoint'], stage.ada).authorization(
    subscriptionId,
  );
  const lines: string[] = [];
  for (const principalId of Object.values(identities))
    for await (const { scope, roleDefinitionId } of roleAssignments.listForScope(
      `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`,
      { filter: `assignedTo('${principalId}')` },
    ))
      lines.push(`${principalId} ${roleDefinitionId?.split('/').at(-1)} at ${scope}`);
  return lines;
}

/** The record sets that the plan's actions move: values and time to live. */
async function recordsOf(stage: Stage, { environment, workloads }: WavePlan): Promise<string[]> {
  const { subscriptionId, resourceGroup } = environment;
  const { recordSets } = createClients(stage.cloud.endpoints['arm.endpoint'], stage.ada).dns(subscriptionId);
  const moved = workloads.flatMap(({ settings }) =>
    settings.cutover.actions.flatMap((action) => (action.kind === 'dns' ? [action] : [])),
  );
  return Promise.all(
    moved.map(async ({ zoneId, record, type }) => {
      const found = await recordSets
        .get(resourceGroup, zoneId.split('/').at(-1) ?? '', record, type)
        .catch(() => undefined);
      return `${type} ${record} ${found?.ttl} ${JSON.stringify(found?.aRecords ?? found?.cnameRecord)}`;
    }),
  );
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

function sorted(facets: Facets): Facets {
  return Object.fromEntries(Object.entries(facets).map(([step, lines]) => [step, lines.toSorted()])) as Facets;
}
