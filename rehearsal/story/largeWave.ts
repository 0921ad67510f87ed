// A wave as large as a data centre's floor, to see what size costs.
import { Chance } from '../../local/durable/chance.ts';
import { WaveDefinition } from '../../shared/model/wave.ts';
import type { Rehearsed } from '../rehearse.ts';
import { environment, host, poolsOf, profile, settingsOf, sourceOf } from './drawnInventory.ts';

/** One wave of many workloads in equal groups, on five sites; people decide per group. */
export function largeWave(workloads: number, groups: number): Rehearsed {
  const chance = new Chance(workloads);
  const names = Array.from({ length: workloads }, (_, index) => `s${index}`);
  const sites = ['cellar', 'attic', 'barn', 'shed', 'loft'];
  const sources = names.map((name, index) => ({ ...sourceOf(name, chance), site: sites[index % sites.length] ?? '' }));
  const each = Math.ceil(workloads / groups);
  const wave = WaveDefinition.parse({
    ...{ id: 'large', name: 'A large wave', environment: 'west', profile: 'standard', onFailure: 'hold' },
    window: { start: '2026-12-05T22:00', duration: 'PT12H', zone: 'Europe/Amsterdam' },
    commitPolicy: { onPassed: 'wait' },
    // Nobody keeps time in such a rehearsal: what is in step when it is prepared counts as in step at cutover.
    settings: { sync: { maxLagAtCutover: 'P2D' } },
    groups: Array.from({ length: groups }, (_, index) => ({
      id: `g${index}`,
      workloads: names.slice(index * each, (index + 1) * each).map((name, place) => ({
        ...{ id: name, source: name, method: place % 2 === 0 ? 'agent' : 'agentless', target: { name } },
        dependsOn: place % 5 === 4 ? [names[index * each + place - 1]] : [],
        settings: settingsOf(name, chance),
      })),
    })),
  });
  return {
    inventory: {
      environments: [{ ...environment, sites: sites.map((id) => ({ id, host })) }],
      profiles: [profile],
      sources,
    },
    waves: [wave],
    pools: poolsOf(sources),
    start: '2026-12-05T12:00:00.000Z',
  };
}
