// Small, complete examples of what people put in, for tests to change one thing of.
import { Environment, Profile } from '../../shared/model/environment.ts';
import { Source } from '../../shared/model/source.ts';
import { WaveDefinition } from '../../shared/model/wave.ts';

const group = '/subscriptions/2b6f0cc9-04d1-4a3d-9a44-7c9f3a1d5e01/resourceGroups/landing';
const network = `${group}/providers/Microsoft.Network`;

export const environment: Environment = Environment.parse({
  id: 'west',
  subscriptionId: '2b6f0cc9-04d1-4a3d-9a44-7c9f3a1d5e01',
  resourceGroup: 'landing',
  region: 'westeurope',
  staging: { accountId: `${group}/providers/Microsoft.Storage/storageAccounts/staging`, container: 'staging' },
  appliance: {
    imageId: `${group}/providers/Microsoft.Compute/images/appliance`,
    vmSize: 'Standard_D2s_v5',
    subnetId: `${network}/virtualNetworks/hub/subnets/appliances`,
  },
  identities: { replication: '9d0f6a10-7a35-4a52-8a60-3a1f6c2e1d12', cutover: '9d0f6a10-7a35-4a52-8a60-3a1f6c2e1d13' },
  sites: [{ id: 'cellar', host: { kind: 'lab', endpoint: 'http://127.0.0.1:9001' } }],
  settings: {
    placement: {
      subnetId: `${network}/virtualNetworks/hub/subnets/servers`,
      testSubnetId: `${network}/virtualNetworks/island/subnets/test`,
      quarantineNetworkSecurityGroupId: `${network}/networkSecurityGroups/quarantine`,
    },
  },
});

export const profile: Profile = Profile.parse({
  id: 'standard',
  settings: {
    sizing: { vmSize: 'Standard_D2s_v5', diskSku: 'StandardSSD_LRS' },
    sync: { cadence: 'PT15M', stallAfter: 'PT5M', verify: 'written', maxLagAtCutover: 'PT30M' },
    uat: { checks: [{ kind: 'boot', name: 'boots' }], expiresAfter: 'PT8H' },
    cutover: { actions: [], shutdownWithin: 'PT5M', onShutdownRefused: 'abort' },
    validation: { checks: [] },
  },
});

export function source(id: string, change: Partial<Source> = {}): Source {
  return Source.parse({
    id,
    hostName: `${id}.cellar.example`,
    platform: 'kvm',
    os: { family: 'linux', name: 'Debian 13' },
    site: 'cellar',
    host: { kind: 'lab', endpoint: 'http://127.0.0.1:9001', machine: id },
    disks: [{ id: 'os', path: `/srv/${id}.img`, sizeBytes: 1048576, boot: true }],
    nics: [{ id: 'eth0', address: '10.0.0.4' }],
    services: [{ name: 'web', start: ['start'], stop: ['stop'], status: ['status'] }],
    owner: 'ops',
    criticality: 'low',
    ...change,
  });
}

/** What a planner posts: two groups, the second after the first. */
export function wavePosted() {
  return {
    id: 'w1',
    name: 'First wave',
    environment: 'west',
    profile: 'standard',
    window: { start: '2026-12-05T22:00', duration: 'PT4H', zone: 'Europe/Amsterdam' },
    groups: [
      {
        id: 'data',
        workloads: [{ id: 'db', source: 'db-01', method: 'agent', target: { name: 'db-01' } }],
      },
      {
        id: 'shop',
        dependsOn: ['data'],
        workloads: [
          { id: 'app', source: 'app-01', method: 'agentless', target: { name: 'app-01' } },
          { id: 'web', source: 'web-01', method: 'agent', dependsOn: ['app'], target: { name: 'web-01' } },
        ],
      },
    ],
  };
}

export function waveDefinition(): WaveDefinition {
  return WaveDefinition.parse(wavePosted());
}

export const sources: Source[] = ['db-01', 'app-01', 'web-01'].map((id) => source(id));
