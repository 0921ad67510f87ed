// Small waves for many seeds: one to three workloads in one or two groups, sometimes a second wave in the same
// environment, with policies, gates and methods drawn by the seed.
import type { z } from 'zod';
import { Chance } from '../../local/durable/chance.ts';
import { Environment, Profile } from '../../shared/model/environment.ts';
import type { Settings } from '../../shared/model/settings.ts';
import { Source } from '../../shared/model/source.ts';
import { WaveDefinition } from '../../shared/model/wave.ts';
import type { Rehearsed } from '../rehearse.ts';

const group = '/subscriptions/2b6f0cc9-04d1-4a3d-9a44-7c9f3a1d5e01/resourceGroups/landing';
const network = `${group}/providers/Microsoft.Network`;
const host = { kind: 'lab', endpoint: 'http://127.0.0.1:9001' } as const;

const environment = Environment.parse({
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
  settings: {
    placement: {
      subnetId: `${network}/virtualNetworks/hub/subnets/servers`,
      testSubnetId: `${network}/virtualNetworks/island/subnets/test`,
      quarantineNetworkSecurityGroupId: `${network}/networkSecurityGroups/quarantine`,
    },
  },
});

const profile = Profile.parse({
  id: 'standard',
  settings: {
    sizing: { vmSize: 'Standard_D2s_v5', diskSku: 'StandardSSD_LRS' },
    sync: { cadence: 'PT15M', stallAfter: 'PT5M', verify: 'written', maxLagAtCutover: 'PT8H' },
    uat: { checks: [{ kind: 'boot', name: 'boots' }], expiresAfter: 'P2D' },
    cutover: { actions: [], shutdownWithin: 'PT5M', onShutdownRefused: 'abort' },
    validation: { checks: [] },
  },
});

function sourceOf(id: string, chance: Chance): Source {
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
      sizeBytes: 2 ** (20 + chance.below(16)),
    })),
    nics: [{ id: 'eth0', address: '10.0.0.4' }],
    services: services.map((name, index) => ({
      ...{ name, start: ['start'], stop: ['stop'], status: ['status'] },
      dependsOn: services.slice(0, index),
    })),
    owner: 'ops',
    criticality: 'low',
  });
}

function settingsOf(name: string, chance: Chance): z.input<typeof Settings> {
  const checks = [
    { kind: 'boot' as const, name: 'boots' },
    { kind: 'tcp' as const, name: 'answers', host: `${name}.cellar.example`, port: 443, expect: 'open' as const },
  ].slice(0, 1 + chance.below(2));
  const networkSecurityGroupId = `${network}/networkSecurityGroups/open`;
  const zoneId = `${network}/privateDnsZones/corp.example`;
  const traffic = { record: name, type: 'A' as const, value: '{target.ip}', ttlSeconds: 30 };
  return {
    uat: { checks },
    validation: { checks },
    cutover: {
      actions: [
        { kind: 'networkSecurityGroup', name: 'open', networkSecurityGroupId },
        ...(chance.happens(0.5) ? [{ kind: 'tags' as const, name: 'tags', tags: { role: name } }] : []),
        { kind: 'dns', name: 'traffic', zoneId, ...traffic },
      ],
      shutdownWithin: 'PT5M',
      onShutdownRefused: chance.happens(0.5) ? 'abort' : 'force',
    },
  };
}

/** Waves of `sources`, with everything else drawn. */
function waveOf(id: string, sources: readonly Source[], chance: Chance): WaveDefinition {
  const apart = sources.length > 1 && chance.happens(0.4);
  const grouped = apart ? [sources.slice(0, 1), sources.slice(1)] : [sources];
  const pick = <T>(...from: T[]): T => from[chance.below(from.length)] as T;
  const gate = () => ({
    required: chance.happens(0.7),
    quorum: pick(1, 1, 2),
    ...(chance.happens(0.2)
      ? { expiresAfter: pick('PT30M', 'PT6H'), onExpiry: pick<'hold' | 'approve'>('hold', 'approve') }
      : {}),
  });
  const asks = chance.happens(0.6);
  const posted: z.input<typeof WaveDefinition> = {
    ...{ id, name: `Wave ${id}`, environment: 'west', profile: 'standard' },
    window: {
      ...{ start: '2026-12-05T22:00', duration: pick('PT4H', 'PT8H'), zone: 'Europe/Amsterdam' },
      ...(chance.happens(0.4) ? { repeat: 'FREQ=DAILY;COUNT=3' } : {}),
    },
    onOverrun: pick('ask', 'rollBack'),
    onFailure: pick('hold', 'hold', 'rollBack', 'goOn'),
    gates: { uat: gate(), cutover: gate(), commit: { required: asks, quorum: 1 } },
    commitPolicy: {
      onPassed: asks ? pick('wait', 'wait', 'commit', 'rollback') : pick('commit', 'commit', 'rollback'),
      onFailed: pick('wait', 'rollback'),
      timeout: 'PT4H',
      onTimeout: pick('hold', 'commit', 'rollback'),
      acceptDataLoss: 'nobody writes before the commit',
    },
    groups: grouped.map((members, index) => ({
      id: `g${index}`,
      dependsOn: index > 0 && chance.happens(0.5) ? ['g0'] : [],
      workloads: members.map((source, place) => ({
        ...{ id: source.id, source: source.id, method: pick('agent', 'agentless'), target: { name: source.id } },
        dependsOn: place > 0 && chance.happens(0.5) ? [members[place - 1]?.id ?? ''] : [],
        settings: settingsOf(source.id, chance),
      })),
    })),
  };
  return WaveDefinition.parse(posted);
}

/** Inventory and waves of a seed. */
export function smallWaves(seed: number): Rehearsed {
  const chance = new Chance(seed ^ 0x5eed);
  const count = chance.happens(0.65) ? 1 : 2 + chance.below(2) * chance.below(2);
  const sources = Array.from({ length: count }, (_, index) => sourceOf(`s${index}`, chance));
  const [other] = chance.happens(0.12) ? [sourceOf('other', chance)] : [];
  const waves = [waveOf('w1', sources, chance), ...(other === undefined ? [] : [waveOf('w2', [other], chance)])];
  const opens = Date.parse('2026-12-05T21:00:00.000Z');
  return {
    inventory: {
      environments: [environment],
      profiles: [profile],
      sources: [...sources, ...(other === undefined ? [] : [other])],
    },
    waves,
    start: new Date(opens - chance.below(4 * 3_600_000) + 1_800_000).toISOString(),
  };
}
