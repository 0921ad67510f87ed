// Which stored waves a definition has to do with: what it waits for, what waits for it, and so on through those.
import type { Need } from '../model/dependency.ts';
import type { WaveDefinition } from '../model/wave.ts';

interface Stored {
  waveId: string;
  groups: readonly { needs: readonly Pick<Need, 'waveId'>[] }[];
}

/** The ids of the waves that this one waits for, or that wait for it, directly or through others. */
export function relatedWaves(definition: WaveDefinition, stored: readonly Stored[]): ReadonlySet<string> {
  const links = new Map<string, Set<string>>();
  const link = (one: string, other: string): void => {
    links.set(one, (links.get(one) ?? new Set()).add(other));
    links.set(other, (links.get(other) ?? new Set()).add(one));
  };
  for (const waveId of named(definition)) link(definition.id, waveId);
  for (const { waveId, groups } of stored)
    for (const { needs } of groups) for (const need of needs) link(waveId, need.waveId);
  const found = new Set([definition.id]);
  for (const waveId of found) for (const other of links.get(waveId) ?? []) found.add(other);
  found.delete(definition.id);
  return found;
}

/** The waves that it names: a name alone is a wave where the wave depends on it, and a group where a group does. */
function named({ dependsOn, groups }: WaveDefinition): string[] {
  const ofGroups = groups.flatMap((group) => group.dependsOn).filter((each) => typeof each !== 'string');
  return [...dependsOn, ...ofGroups].flatMap((each) => (typeof each === 'string' ? each : (each.wave ?? [])));
}
