// What drawn waves refer to: one environment, one profile, sources and settings with their details drawn by the seed.
import type { z } from 'zod';
import type { Chance } from '../../local/durable/chance.ts';
import type { CutoverAction } from '../../shared/actions/all.ts';
import type { DnsRecord } from '../../shared/azure/contract.ts';
import { Environment, Profile } from '../../shared/model/environment.ts';
import type { Settings } from '../../shared/model/settings.ts';
import { Source } from '../../shared/model/source.ts';

const group = '/subscriptions/2b6f0cc9-04d1-4a3d-9a44-7c9f3a1d5e01/resourceGroups/landing';
const network = `${group}/providers/Microsoft.Network`;
export const host = { kind: 'lab', endpoint: 'http://127.0.0.1:9001' } as const;

export const environment = Environment.parse({
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
  sites: [{ id: 'cellar', host }],
  scripts: true,
  settings: {
    placement: {
      subnetId: `${network}/virtualNetworks/hub/subnets/servers`,
      testSubnetId: `${network}/virtualNetworks/island/subnets/test`,
      quarantineNetworkSecurityGroupId: `${network}/networkSecurityGroups/quarantine`,
    },
  },
});

export const profile = Profile.parse({
  id: 'standard',
  settings: {
    sizing: { vmSize: 'Standard_D2s_v5', diskSku: 'StandardSSD_LRS' },
    sync: { cadence: 'PT40M', stallAfter: 'PT5M', verify: 'written', maxLagAtCutover: 'PT8H' },
    uat: { checks: [{ kind: 'boot', name: 'boots' }], expiresAfter: 'P2D' },
    cutover: { actions: [], shutdownWithin: 'PT5M', onShutdownRefused: 'abort' },
    validation: { checks: [] },
  },
});

export function sourceOf(id: string, chance: Chance): Source {
  const services = ['engine', 'reports'].slice(0, chance.below(3));
  const disks = ['os', 'data'].slice(0, 1 + chance.below(2));
  return Source.parse({
    id,
    hostName: `${id}.cellar.example`,
    platform: 'kvm',
    os: { family: 'linux', name: 'Debian 13' },
    site: 'cellar',
    host: { ...host, machine: id },
    disks: disks.map((disk, index) => ({
      ...{ id: disk, path: `/srv/${id}-${disk}.img`, boot: index === 0 },
      sizeBytes: 2 ** (20 + chance.below(13)),
    })),
    nics: [{ id: 'eth0', address: '10.0.0.4' }],
    services: services.map((name, index) => ({
      ...{ name, start: ['start'], stop: ['stop'], status: ['status'] },
      dependsOn: services.slice(0, index),
      // The first has a start mode, the second has none.
      ...(index === 0 && { startMode: { show: ['mode'], automatic: ['automatic'], manual: ['manual'] } }),
    })),
    ...(isSentTo(id) && { agent: { ssh: { hostKeys: [`ssh-ed25519 ${'A'.repeat(68)}`], credential: 'ops' } } }),
    owner: 'ops',
    criticality: 'low',
  });
}

/** Whether the target appliance puts its agent there; the host does of the others. By its name, so that nothing else is drawn anew. */
const isSentTo = (id: string): boolean => [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 3 === 0;

/** Where clients find the sources before the waves; some have no record yet. */
export function recordsOf(sources: readonly Source[], chance: Chance): Map<string, DnsRecord> {
  const lives = [30, 300, 3600, 5400];
  const known = sources.filter(() => chance.happens(0.7));
  return new Map(
    known.map(({ id }) => [
      `A ${id}`,
      { ttlSeconds: lives[chance.below(lives.length)] ?? 300, values: [`192.0.2.${chance.below(250)}`] },
    ]),
  );
}

const oldPool = `${network}/loadBalancers/edge/backendAddressPools/sources`;

/** The pool in which load balancers know the sources by their addresses. */
export function poolsOf(sources: readonly Source[]): Map<string, { name: string; address: string }[]> {
  return new Map([
    [
      oldPool,
      sources.map(({ id }, index) => ({ name: id, address: addressOf(id) ?? `10.1.${index >> 8}.${index & 255}` })),
    ],
  ]);
}

function toldOf(name: string): z.input<typeof CutoverAction> {
  const url = 'https://desk.example.com/landfall';
  return { kind: 'webhook', name: 'tell the desk', url, body: { server: name }, undo: { body: { server: name } } };
}

const watched: z.input<typeof CutoverAction> = {
  ...{ kind: 'monitoring', name: 'watch' },
  dataCollectionRuleId: `${group}/providers/Microsoft.Insights/dataCollectionRules/servers`,
};

function runOn(name: string): z.input<typeof CutoverAction> {
  return { kind: 'script', name: 'register', run: [`register ${name}`], undo: [`deregister ${name}`] };
}

/** Some are behind a load balancer: the first only joins one, the second is exchanged there as well. */
function balancedOf(name: string): z.input<typeof CutoverAction>[] {
  const backendPoolId = `${network}/loadBalancers/inner/backendAddressPools/targets`;
  const address = addressOf(name);
  if (name.endsWith('0')) return [{ kind: 'loadBalancer', name: 'balance', backendPoolId }];
  if (address === undefined) return [];
  return [{ kind: 'loadBalancer', name: 'exchange', backendPoolId, takeOut: { backendPoolId: oldPool, address } }];
}

/** Every tenth one is in a pool by an address, each by one of its own. */
function addressOf(name: string): string | undefined {
  const number = Number(name.replace(/\D/g, ''));
  return name.endsWith('1') ? `10.0.${6 + (number >> 8)}.${number & 255}` : undefined;
}

export function settingsOf(name: string, chance: Chance): z.input<typeof Settings> {
  const checks = [
    { kind: 'boot' as const, name: 'boots' },
    { kind: 'tcp' as const, name: 'answers', host: `${name}.cellar.example`, port: 443, expect: 'open' as const },
  ].slice(0, chance.happens(0.7) ? 2 : 1);
  const patience = { tries: 1 + chance.below(2), answerWithin: chance.happens(0.5) ? 'PT2M' : 'PT15M' };
  const networkSecurityGroupId = `${network}/networkSecurityGroups/open`;
  const zoneId = `${network}/privateDnsZones/corp.example`;
  // One in some is to live otherwise once it has moved.
  const afterwards = name.endsWith('1') ? { ttlSeconds: 30 } : {};
  const traffic = { record: name, type: 'A' as const, value: '{target.ip}', ...afterwards };
  return {
    uat: { checks, ...patience },
    validation: { checks, ...patience },
    cutover: {
      actions: [
        { kind: 'networkSecurityGroup', name: 'open', networkSecurityGroupId },
        ...balancedOf(name),
        ...(name.endsWith('0') ? [toldOf(name)] : []),
        ...(name.endsWith('1') ? [runOn(name)] : []),
        ...(name.endsWith('2') ? [watched] : []),
        ...(chance.happens(0.5) ? [{ kind: 'tags' as const, name: 'tags', tags: { role: name } }] : []),
        { kind: 'dns', name: 'traffic', zoneId, ...traffic },
      ],
      shutdownWithin: 'PT5M',
      onShutdownRefused: chance.happens(0.5) ? 'abort' : 'force',
    },
  };
}
