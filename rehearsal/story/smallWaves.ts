// Small waves for many seeds: one to three workloads in one or two groups, sometimes a second wave in the same
// environment, with policies, gates and methods drawn by the seed.
import type { z } from 'zod';
import { Chance } from '../../local/durable/chance.ts';
import type { Source } from '../../shared/model/source.ts';
import { WaveDefinition } from '../../shared/model/wave.ts';
import type { Rehearsed } from '../rehearse.ts';
import { environment, poolsOf, profile, recordsOf, settingsOf, sourceOf } from './drawnInventory.ts';

/** Waves of `sources`, with everything else drawn. */
function waveOf(id: string, sources: readonly Source[], chance: Chance, dependsOn: string[] = []): WaveDefinition {
  const apart = sources.length > 1 && chance.happens(0.3);
  const grouped = apart ? [sources.slice(0, 1), sources.slice(1)] : [sources];
  const pick = <T>(...from: T[]): T => from[chance.below(from.length)] as T;
  const gate = () => ({
    required: chance.happens(0.7),
    ...pick(
      { quorum: 1 },
      { quorum: 1 },
      { quorum: 2 },
      { approvers: ['Carl'] },
      { quorum: 2, approvers: ['carl', 'dora'] },
    ),
    ...(chance.happens(0.35)
      ? {
          expiresAfter: pick('PT30M', 'PT6H'),
          onExpiry: pick<'hold' | 'approve' | 'reject'>('hold', 'approve', 'reject'),
        }
      : {}),
  });
  const asks = chance.happens(0.6);
  const courses = {
    onPassed: asks ? pick('wait', 'wait', 'commit', 'rollback') : pick('commit', 'commit', 'rollback'),
    onFailed: pick('wait', 'wait', 'rollback', 'commit'),
    onSilent: pick('wait', 'wait', 'rollback', 'commit'),
    timeout: 'PT4H',
    onTimeout: pick('hold', 'commit', 'rollback'),
  } as const;
  const losing = Object.values<string>(courses).includes('rollback');
  const unproven = [courses.onFailed, courses.onSilent].includes('commit');
  const posted: z.input<typeof WaveDefinition> = {
    ...{ id, name: `Wave ${id}`, environment: 'west', profile: 'standard', dependsOn },
    window: {
      ...{ start: '2026-12-05T22:00', duration: pick('PT4H', 'PT8H'), zone: 'Europe/Amsterdam' },
      ...(chance.happens(0.4) ? { repeat: 'FREQ=DAILY;COUNT=3' } : {}),
    },
    onOverrun: pick('ask', 'rollBack'),
    onFailure: pick('hold', 'hold', 'rollBack', 'goOn'),
    gates: {
      uat: { ...gate(), partial: chance.happens(0.3) },
      cutover: { ...gate(), partial: chance.happens(0.3) },
      commit: { required: asks, quorum: pick(1, 1, 2) },
      before: chance.happens(0.15) ? { [pick('stopServices', 'initialSync', 'postCutover')]: { required: true } } : {},
    },
    ...(chance.happens(0.2) ? { failureBudget: { workloads: 0 } } : {}),
    commitPolicy: {
      ...courses,
      ...(losing ? { acceptDataLoss: 'nobody writes before the commit' } : {}),
      ...(unproven ? { acceptUnproven: 'people look themselves' } : {}),
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

const noSiteHost = { kind: 'byHand' } as const;
const inVcenter = { connection: 'vc', library: 'landfall', item: 'worker', resourcePool: 'resgroup-8', networks: {} };
const vcenterSite = { kind: 'vsphere', ...inVcenter } as const;

/** One source in six has no host to ask: people switch it. Of one in six, its host does not reach into the guest. */
function perhapsByHand(source: Source, chance: Chance): Source {
  if (chance.happens(1 / 6)) return { ...source, host: { kind: 'byHand', ports: chance.happens(0.5) ? [22] : [] } };
  if (chance.happens(1 / 6)) return { ...source, host: { kind: 'qemu', connection: 'cellar', machine: source.id } };
  return source;
}

/** Inventory and waves of a seed. */
export function smallWaves(seed: number): Rehearsed {
  const chance = new Chance(seed ^ 0x5eed);
  const count = chance.happens(0.6) ? 1 : 2 + chance.below(2) * chance.below(2);
  const sources = Array.from({ length: count }, (_, index) => sourceOf(`s${index}`, chance));
  const [other] = chance.happens(0.2) ? [sourceOf('other', chance)] : [];
  const waves = [
    waveOf('w1', sources, chance),
    ...(other === undefined ? [] : [waveOf('w2', [other], chance, chance.happens(0.3) ? ['w1'] : [])]),
  ];
  const opens = Date.parse('2026-12-05T21:00:00.000Z');
  const start = new Date(opens - chance.below(4 * 3_600_000) + 1_800_000).toISOString();
  const all = [...sources, ...(other === undefined ? [] : [other])].map((source) => perhapsByHand(source, chance));
  const siteHost = chance.happens(0.1) ? noSiteHost : chance.happens(0.1) ? vcenterSite : undefined;
  const sites = environment.sites.map((site) => ({ ...site, host: siteHost ?? site.host }));
  return {
    inventory: { environments: [{ ...environment, sites }], profiles: [profile], sources: all },
    waves,
    records: recordsOf(all, new Chance(seed ^ 0xd45)),
    pools: poolsOf(all),
    start,
  };
}
