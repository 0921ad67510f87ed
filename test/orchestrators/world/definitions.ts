// The wave that these tests move: `data` (one agent-based workload), then `shop` (one agentless, one agent-based).
import type { z } from 'zod';
import type { CutoverAction } from '../../../shared/actions/all.ts';
import { Environment } from '../../../shared/model/environment.ts';
import type { Check } from '../../../shared/model/settings.ts';
import { WaveDefinition } from '../../../shared/model/wave.ts';
import { source, wavePosted, environment as west } from '../../fakes/definitions.ts';

const network = west.settings?.placement?.subnetId?.split('/virtualNetworks/')[0] ?? '';
const zoneId = `${network}/privateDnsZones/corp.example`;
const openGroupId = `${network}/networkSecurityGroups/open`;
/** Inside the wave's window. */
export const startOfDay = '2026-12-05T21:10:00.000Z';

export const environment: Environment = Environment.parse({
  ...west,
  sites: [...west.sites, { id: 'attic', host: west.sites[0]?.host }],
  scripts: true,
});

const startMode = { show: ['mode'], automatic: ['automatic'], manual: ['manual'] };
const services = [
  { name: 'engine', start: ['start'], stop: ['stop'], status: ['status'], startMode },
  { name: 'reports', dependsOn: ['engine'], start: ['start'], stop: ['stop'], status: ['status'], startMode },
];
const data = { id: 'data', path: '/srv/data.img', sizeBytes: 2_097_152 };
export const sources = [
  source('db-01', {
    services: services.map((service) => ({ dependsOn: [], ...service })),
    disks: [...source('db-01').disks, { ...data, boot: false }],
  }),
  source('app-01'),
  source('web-01', { site: 'attic' }),
];

function settingsOf(name: string): NonNullable<WaveDefinition['settings']> {
  const checks: Check[] = [
    { kind: 'boot', name: 'boots' },
    { kind: 'tcp', name: 'answers', host: `${name}.cellar.example`, port: 443, expect: 'open' },
  ];
  const actions: CutoverAction[] = [
    { kind: 'networkSecurityGroup', name: 'open', networkSecurityGroupId: openGroupId },
    { kind: 'tags', name: 'tags', tags: { role: name } },
    { kind: 'dns', name: 'traffic', zoneId, record: name, type: 'A', value: '{target.ip}', ttlSeconds: 30 },
  ];
  return {
    uat: { checks },
    validation: { checks },
    cutover: { actions, shutdownWithin: 'PT5M', onShutdownRefused: 'abort' },
  };
}

type Posted = z.input<typeof WaveDefinition>;

/** The definition with one thing changed. */
export function definitionOf(change: (posted: Posted) => void = () => {}): WaveDefinition {
  const posted: Posted = WaveDefinition.parse(wavePosted());
  for (const group of posted.groups)
    for (const workload of group.workloads) workload.settings = settingsOf(workload.target.name);
  change(posted);
  return WaveDefinition.parse(posted);
}

/** Only the group `data` with its one workload: enough for what concerns one workload. */
export function onlyDb(posted: Posted): void {
  posted.groups = posted.groups.filter(({ id }) => id === 'data');
}

/** Only the group `shop` with its two workloads, of which `web` needs `app`. */
export function onlyShop(posted: Posted): void {
  posted.groups = posted.groups.filter(({ id }) => id === 'shop').map((group) => ({ ...group, dependsOn: [] }));
}

/** One group of `count` agentless workloads, in tiers: every third one needs the one before it. */
export function manyWorkloads(count: number) {
  const ids = Array.from({ length: count }, (_, index) => `s-${index}`);
  const change = (posted: Posted): void => {
    const workloads = ids.map((id, index) => {
      const dependsOn = index % 3 === 2 ? [ids[index - 1] ?? ''] : [];
      return {
        id,
        source: id,
        method: 'agentless' as const,
        dependsOn,
        target: { name: id },
        settings: settingsOf(id),
      };
    });
    posted.groups = [{ id: 'many', workloads }];
  };
  return { sources: ids.map((id) => source(id)), change };
}
