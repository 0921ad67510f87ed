// What groups and waves wait for: resolved from what people wrote, and checked for names, partners and circles.
import type { Dependency, Need } from '../model/dependency.ts';
import type { WaveDefinition } from '../model/wave.ts';
import { circles } from './needCircles.ts';
import { didYouMean, type Problem, suggestionsAtMost } from './problems.ts';
import { groupsOf, nameOf, type PlannedShape, type Shape } from './units.ts';

/** Who depends: a group with its workloads, or the whole wave with all of them. */
interface Dependent {
  path: string;
  what: string;
  workloads: Shape['groups'][number]['workloads'];
  dependsOn: readonly Dependency[];
  /** Whether a name stood alone, so that a problem is with the item itself. */
  short: readonly boolean[];
}

/**
 * The needs of each group, and what is wrong with what was written. `others` are the stored waves that this one is related
 * to, `waveIds` the ids of all of them.
 */
export function resolveNeeds(
  definition: WaveDefinition,
  others: readonly PlannedShape[],
  waveIds: readonly string[],
): { needs: ReadonlyMap<string, Need[]>; problems: Problem[] } {
  const own: Shape = { waveId: definition.id, groups: definition.groups };
  const shapes = new Map([own, ...others].map((shape) => [shape.waveId, shape]));
  const problems: Problem[] = [];
  const needs = new Map<string, Need[]>(definition.groups.map(({ id }) => [id, []]));
  for (const { dependent, groups } of dependents(definition))
    for (const [index, dependency] of dependent.dependsOn.entries()) {
      const resolved = resolveOne(dependent, index, dependency, own.waveId, { shapes, waveIds });
      if ('problems' in resolved) problems.push(...resolved.problems);
      else for (const group of groups) needs.get(group.id)?.push(...shareOf(resolved.need, group));
    }
  problems.push(...circles(definition, needs, others));
  return { needs, problems };
}

/** Groups of the same wave that a group waits for, in whatever way. */
export function groupsBefore(definition: WaveDefinition, needs: readonly Need[]): string[] {
  const own: Shape = { waveId: definition.id, groups: definition.groups };
  const inside = needs.filter(({ waveId }) => waveId === own.waveId);
  return [...new Set(inside.flatMap((need) => groupsOf(need, own)))];
}

function dependents(
  definition: WaveDefinition,
): { dependent: Dependent; groups: readonly WaveDefinition['groups'][number][] }[] {
  const { groups } = definition;
  return [
    {
      dependent: {
        path: '',
        what: `wave "${definition.id}"`,
        workloads: groups.flatMap(({ workloads }) => workloads),
        ...written(definition.dependsOn, (wave) => ({ wave, kind: 'whole' })),
      },
      groups,
    },
    ...groups.map((group, g) => ({
      dependent: {
        path: `groups[${g}].`,
        what: `group "${group.id}"`,
        workloads: group.workloads,
        ...written(group.dependsOn, (name) => ({ group: name, kind: 'whole' })),
      },
      groups: [group],
    })),
  ];
}

function written(
  dependsOn: readonly (string | Dependency)[],
  long: (name: string) => Dependency,
): Pick<Dependent, 'dependsOn' | 'short'> {
  return {
    dependsOn: dependsOn.map((each) => (typeof each === 'string' ? long(each) : each)),
    short: dependsOn.map((each) => typeof each === 'string'),
  };
}

function resolveOne(
  dependent: Dependent,
  index: number,
  dependency: Dependency,
  ownId: string,
  { shapes, waveIds }: { shapes: ReadonlyMap<string, Shape>; waveIds: readonly string[] },
): { need: Need } | { problems: Problem[] } {
  const item = `${dependent.path}dependsOn[${index}]`;
  const at = (field: string): string => (dependent.short[index] ? item : `${item}.${field}`);
  const waveId = dependency.wave ?? ownId;
  const shape = shapes.get(waveId);
  if (shape === undefined) return { problems: [unknown(at('wave'), 'wave', waveId, [ownId, ...waveIds])] };
  const groupId = dependency.group;
  const there = waveId === ownId ? '' : ` in wave "${waveId}"`;
  const group = shape.groups.find(({ id }) => id === groupId);
  if (groupId !== undefined && group === undefined) {
    const ids = shape.groups.map(({ id }) => id);
    return { problems: [unknown(at('group'), 'group', groupId, ids, there)] };
  }
  const unit = { waveId, ...(groupId === undefined ? {} : { groupId }) };
  if (dependency.kind === 'whole') return { need: unit };
  const offered = group === undefined ? shape.groups.flatMap(({ workloads }) => workloads) : group.workloads;
  if (dependency.kind === 'sameWorkload') {
    const pairs = dependent.workloads.flatMap(({ id, source }) => {
      const same = offered.find((each) => each.id === id) ?? offered.find((each) => each.source === source);
      return same === undefined ? [] : [{ workload: id, needs: same.id }];
    });
    if (pairs.length > 0) return { need: { ...unit, pairs } };
    const message = `no workload of ${dependent.what} has the id or the source of one in ${nameOf(unit)}`;
    return { problems: [{ path: item, value: dependency, message, fix: 'say who waits for whom: kind "mapped"' }] };
  }
  const pairs = dependency.pairs ?? [];
  const ids = (workloads: typeof offered): string[] => workloads.map(({ id }) => id);
  const mine = new Set(ids(dependent.workloads));
  const theirs = new Set(ids(offered));
  let suggested = 0;
  const notIn = (known: ReadonlySet<string>, value: string, field: string, where: string): Problem[] => {
    if (known.has(value)) return [];
    return [unknown(field, 'workload', value, known, ` in ${where}`, suggested++ < suggestionsAtMost)];
  };
  const problems = pairs.flatMap(({ workload, needs }, p) => [
    ...notIn(mine, workload, `${item}.pairs[${p}].workload`, dependent.what),
    ...notIn(theirs, needs, `${item}.pairs[${p}].needs`, nameOf(unit)),
  ]);
  return problems.length > 0 ? { problems } : { need: { ...unit, pairs } };
}

function unknown(
  path: string,
  what: string,
  value: string,
  known: Iterable<string>,
  where = '',
  compared = true,
): Problem {
  const names = [...known];
  const meant = compared ? didYouMean(value, names) : undefined;
  const listed = names.slice(0, 20).join(', ');
  const fix = meant === undefined ? `name one of: ${listed}` : `did you mean "${meant}"?`;
  return { path, value, message: `there is no ${what} "${value}"${where}`, fix };
}

/** What of a need concerns a group: the whole, or those pairs whose workload is its own. */
function shareOf(need: Need, { workloads }: Shape['groups'][number]): Need[] {
  if (need.pairs === undefined) return [need];
  const pairs = need.pairs.filter(({ workload }) => workloads.some(({ id }) => id === workload));
  return pairs.length === 0 ? [] : [{ ...need, pairs }];
}
