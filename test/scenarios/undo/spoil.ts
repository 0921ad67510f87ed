// For each facet one thing that an undo would have left: made by other hands, as the planted fault that a look has to see.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenCredential } from '@azure/identity';
import { z } from 'zod';
import type { Stage } from '../../../examples/harness/stage.ts';
import { askMachine } from '../../../examples/lab/control.ts';
import { type Clients, createClients } from '../../../shared/azure/clients.ts';
import type { WorkloadState } from '../../../shared/lifecycle/state.ts';
import type { Facets } from './facets.ts';
import type { Set as StageSet } from './stage.ts';

/** Spoils the facet; returns the stage as it is to be looked at then. */
export const spoil: Record<keyof Facets, (set: StageSet) => Promise<Stage>> = {
  async targetIam(set) {
    const { subscriptionId, resourceGroup, identities } = set.plan.environment;
    const { roleAssignments, roleDefinitions } = clientsOf(set.stage, planner(set.stage)).authorization(subscriptionId);
    const scope = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
    const reader = (await roleDefinitions.list(scope, { filter: "roleName eq 'Reader'" }).next()).value?.id ?? '';
    const name = '7b1c1c52-6a0e-4a53-9a2b-1f5f3a3f0c01';
    await roleAssignments.create(scope, name, { principalId: identities.replication, roleDefinitionId: reader });
    return set.stage;
  },
  migrationAppliance: (set) => leaveGroup(set, `lf-target-${set.plan.environment.id}`),
  async sourceWorker({ stage }) {
    await askLab(stage, 'workers/left-behind', { bootstrap: goingNowhere });
    return stage;
  },
  async osAgent({ stage, plan }) {
    await askLab(stage, `machines/${first(plan.workloads).source.id}/agent`, { bootstrap: goingNowhere });
    return stage;
  },
  initialSync: async ({ stage }) => withSync(stage, { status: 'running', kind: 'initial', attempt: 1 }),
  deltaSyncs: async ({ stage }) => withSync(stage, { status: 'running', kind: 'delta', attempt: 1 }),
  uat: (set) => leaveGroup(set, `lf-isolated-${set.plan.waveId}`),
  async stopServices({ stage, plan }) {
    const { id, services } = first(plan.workloads).source;
    const answer = await askMachine(stage.lab.machineDirOf(id), { command: 'manual', service: first(services).name });
    if (answer?.ok !== true) throw new Error(`The start mode could not be set: ${answer?.text}`);
    return stage;
  },
  async finalDelta({ stage, plan }) {
    await askLab(stage, `machines/${first(plan.workloads).source.id}/nic`, { connected: false });
    return stage;
  },
  async postCutover({ stage, plan }) {
    const { subscriptionId, resourceGroup } = plan.environment;
    const { recordSets } = clientsOf(stage).dns(subscriptionId);
    await recordSets.update(resourceGroup, 'corp.example', 'db', 'A', { ttl: 60 });
    return stage;
  },
};

/** More of what step 11 could leave: a tag, on what was there before. */
export async function leaveTag({ stage, plan }: StageSet): Promise<void> {
  const { subscriptionId, resourceGroup } = plan.environment;
  const group = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  await clientsOf(stage)
    .resources(subscriptionId)
    .tagsOperations.createOrUpdateAtScope(`${group}/providers/Microsoft.Network/networkSecurityGroups/production`, {
      properties: { tags: { 'landfall:wave': plan.waveId } },
    });
}

const clientsOf = (stage: Stage, credential: TokenCredential = stage.ada): Clients =>
  createClients(stage.cloud.endpoints['arm.endpoint'], credential);

/** The identity that assigns roles, by the endpoint from which the app gets its tokens. */
function planner({ cloud, folder }: Stage): TokenCredential {
  const header = readFileSync(join(folder, 'cloud', 'identity', 'header'), 'utf8');
  return {
    async getToken() {
      const url = new URL('/msi/token', cloud.endpoints['identity.endpoint']);
      url.search = String(
        new URLSearchParams({
          'api-version': '2019-08-01',
          resource: 'https://management.azure.com',
          client_id: '9d0f6a10-7a35-4a52-8a60-3a1f6c2e1d01',
        }),
      );
      const response = await fetch(url, { headers: { 'x-identity-header': header } });
      const { access_token: token } = z.object({ access_token: z.string() }).parse(await response.json());
      return { token, expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };
}

async function leaveGroup({ stage, plan }: StageSet, name: string): Promise<Stage> {
  const { subscriptionId, resourceGroup, region } = plan.environment;
  const { networkSecurityGroups } = clientsOf(stage).network(subscriptionId);
  await networkSecurityGroups.createOrUpdate(resourceGroup, name, { location: region }, { updateIntervalInMs: 50 });
  return stage;
}

/** For an appliance that looks for its platform for ever. */
const goingNowhere = JSON.stringify({
  enrolUrl: 'http://127.0.0.1:1/api/appliances/enrol',
  token: 'a-token-that-nobody-gave-out',
  kind: 'agent',
});

async function askLab({ lab }: Stage, path: string, body: object): Promise<void> {
  const response = await fetch(`${lab.endpoint}/${path}`, { method: 'PUT', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
}

/** Workloads are written by the app alone: here its answer is doctored. */
function withSync(stage: Stage, sync: WorkloadState['sync']): Stage {
  const workload: Stage['asAda']['workload'] = async (...of) => {
    const view = await stage.asAda.workload(...of);
    return { ...view, state: { ...view.state, sync } };
  };
  return Object.create(stage, { asAda: { value: Object.create(stage.asAda, { workload: { value: workload } }) } });
}

function first<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('There is none.');
  return one;
}
