// A target environment for tests: the local identities, Resource Manager and Blob Storage, and the app's own clients
// with three identities that start with nothing but the planning identity's right to assign roles.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthorizationManagementClient } from '@azure/arm-authorization';
import { type Fault, startArm } from '../../../local/arm/main.ts';
import { startIdentity } from '../../../local/identity/server.ts';
import { ensurePki, trustCa } from '../../../local/pki.ts';
import { startStorage } from '../../../local/storage/server.ts';
import { CutoverAction, needsOf } from '../../../shared/actions/all.ts';
import { createAzure } from '../../../shared/azure/azure.ts';
import { type Clients, createClients } from '../../../shared/azure/clients.ts';
import type { Azure, Ownership, Progress } from '../../../shared/azure/contract.ts';
import { MigrationError } from '../../../shared/errors.ts';
import type { Environment } from '../../../shared/model/environment.ts';

const subscriptionId = '11111111-1111-4111-8111-111111111111';
const tenantId = '22222222-2222-4222-8222-222222222222';
const principals = {
  planning: '33333333-3333-4333-8333-333333333333',
  replication: '44444444-4444-4444-8444-444444444444',
  cutover: '55555555-5555-4555-8555-555555555555',
  onlooker: '66666666-6666-4666-8666-666666666666',
};
const group = `/subscriptions/${subscriptionId}/resourceGroups/rg-target`;
export const inGroup = (rest: string): string => `${group}/providers/${rest}`;
const otherGroup = `/subscriptions/${subscriptionId}/resourceGroups/rg-images`;

export const ids = {
  image: `${otherGroup}/providers/Microsoft.Compute/images/appliance`,
  virtualNetwork: inGroup('Microsoft.Network/virtualNetworks/hub'),
  subnet: inGroup('Microsoft.Network/virtualNetworks/hub/subnets/apps'),
  securityGroup: inGroup('Microsoft.Network/networkSecurityGroups/apps'),
  zone: inGroup('Microsoft.Network/dnsZones/example.test'),
  pool: inGroup('Microsoft.Network/loadBalancers/inner/backendAddressPools/targets'),
  oldPool: inGroup('Microsoft.Network/loadBalancers/edge/backendAddressPools/sources'),
  rule: inGroup('Microsoft.Insights/dataCollectionRules/servers'),
  privateZone: inGroup('Microsoft.Network/privateDnsZones/corp.test'),
};
export { otherGroup, principals };

export const ownership: Ownership = {
  owner: 'landfall',
  wave: 'wave-1',
  workload: 'db-01',
  expires: '2030-01-01T00:00:00.000Z',
};

/** What the cutover identity needs to move records of both kinds of zones. */
export const movesRecords = needsOf(
  [ids.zone, ids.privateZone].map((zoneId) =>
    CutoverAction.parse({ kind: 'dns', name: 'traffic', zoneId, record: 'app', type: 'A', value: '{target.ip}' }),
  ),
);

export interface TargetWorld {
  azure: Azure;
  environment: Environment;
  faults: Fault[];
  /** A second app process: other clients, nothing remembered. */
  anotherAzure(): Azure;
  /** The SDK's own client of the planning identity, to look without the app. */
  planningClient(): AuthorizationManagementClient;
  /** The SDK's own clients of somebody who may read, to look without the app. */
  clients(): Clients;
  /** Grants both roles, and to the cutover identity what it needs besides; waits until they count. */
  authorize(besides?: readonly string[]): Promise<void>;
  /** Polls to the end, each time through clients that know nothing but the operation. */
  complete(progress: Progress): Promise<void>;
  stop(): Promise<void>;
}

export async function startTarget(): Promise<TargetWorld> {
  const pki = await ensurePki(undefined);
  trustCa(pki.ca);
  const identity = await startIdentity({
    tenantId,
    users: [],
    managedIdentities: Object.entries(principals).map(([name, principalId]) => ({
      name,
      clientId: principalId.replace(/^(.)/, '9'),
      principalId,
    })),
  });
  const storage = await startStorage({
    tls: pki,
    accounts: [{ name: 'staging', key: Buffer.alloc(32, 7).toString('base64') }],
    verifyToken: (jwt) => identity.verifyToken(jwt),
  });
  const faults: Fault[] = [];
  const dataDir = mkdtempSync(join(tmpdir(), 'landfall-target-'));
  const accountId = inGroup('Microsoft.Storage/storageAccounts/staging');
  const arm = await startArm({
    dataDir,
    tls: pki,
    tenantId,
    repoRoot: process.cwd(),
    openBlob: (url) => storage.openBlob(url),
    verifyToken: (jwt) => identity.verifyToken(jwt, 'https://management.azure.com'),
    latency: 20,
    propagation: 100,
    faults,
    declared: {
      subscriptions: [{ subscriptionId, location: 'westeurope', quota: { cores: 8 } }],
      images: { [ids.image]: { command: ['{node}', '-e', 'setInterval(() => {}, 1000)'] } },
      resources: [
        { id: otherGroup, body: {} },
        { id: accountId, body: { properties: { primaryEndpoints: { blob: `${storage.endpoint}/staging` } } } },
        { id: ids.securityGroup, body: { properties: { securityRules: [] } } },
        {
          id: ids.virtualNetwork,
          body: {
            properties: {
              addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
              subnets: [
                {
                  name: 'apps',
                  properties: { addressPrefix: '10.0.1.0/24', networkSecurityGroup: { id: ids.securityGroup } },
                },
              ],
            },
          },
        },
        { id: ids.zone, body: { location: 'global' } },
        { id: ids.privateZone, body: { location: 'global' } },
        { id: ids.rule, body: { location: 'westeurope', properties: {} } },
        {
          id: ids.pool.replace(/\/backendAddressPools.*/, ''),
          body: {
            sku: { name: 'Standard' },
            properties: { backendAddressPools: [{ name: 'targets', properties: {} }] },
          },
        },
        {
          id: ids.oldPool.replace(/\/backendAddressPools.*/, ''),
          body: {
            sku: { name: 'Standard' },
            properties: {
              backendAddressPools: [
                {
                  name: 'sources',
                  properties: {
                    loadBalancerBackendAddresses: ['10.0.1.101', '10.0.1.102', '10.0.1.103'].map((ipAddress) => ({
                      name: `at ${ipAddress}`,
                      properties: { ipAddress, virtualNetwork: { id: ids.virtualNetwork }, adminState: 'None' },
                    })),
                  },
                },
              ],
            },
          },
        },
      ],
      roleAssignments: [
        { scope: group, principalId: principals.planning, roleName: 'User Access Administrator' },
        { scope: group, principalId: principals.onlooker, roleName: 'Reader' },
        { scope: otherGroup, principalId: principals.planning, roleName: 'User Access Administrator' },
      ],
    },
  });

  const environment: Environment = {
    id: 'north',
    subscriptionId,
    resourceGroup: 'rg-target',
    region: 'westeurope',
    staging: { accountId, container: 'landfall-staging' },
    appliance: { imageId: ids.image, vmSize: 'Standard_B2s', subnetId: ids.subnet },
    identities: { replication: principals.replication, cutover: principals.cutover },
    sites: [],
    links: [],
    calendars: [],
    freezes: [],
  };
  const credentialOf = (name: string) => ({
    async getToken(scopes: string | string[]) {
      const audience = [scopes].flat()[0]?.replace(/\/\.default$/, '') ?? '';
      return { token: await identity.tokenFor(name, audience), expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  });
  const anotherAzure = () =>
    createAzure(
      { LANDFALL_ARM_ENDPOINT: arm.endpoint },
      {
        planning: credentialOf('planning'),
        replication: credentialOf('replication'),
        cutover: credentialOf('cutover'),
      },
    );
  const azure = anotherAzure();

  return {
    azure,
    environment,
    faults,
    anotherAzure,
    planningClient: () =>
      new AuthorizationManagementClient(credentialOf('planning'), subscriptionId, {
        endpoint: arm.endpoint,
        $host: arm.endpoint,
        credentialScopes: 'https://management.azure.com/.default',
      }),
    clients: () => createClients(arm.endpoint, credentialOf('onlooker')),
    async authorize(besides = []) {
      const gaps = await azure.authorization.gaps(environment, besides);
      await azure.authorization.grant(environment, gaps, besides);
      await poll(() => azure.authorization.effective(environment, besides));
    },
    async complete(progress) {
      let now = progress;
      await poll(async () => {
        if (!now.done) now = await anotherAzure().compute.advance(environment, now.operation);
        return now.done;
      });
    },
    async stop() {
      await arm.stop();
      await storage.stop();
      await identity.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export async function poll(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('It did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The failure that the work ends in; anything but a MigrationError fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<MigrationError['failure']> {
  const outcome = await work.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  if (outcome instanceof MigrationError) return outcome.failure;
  throw outcome;
}
