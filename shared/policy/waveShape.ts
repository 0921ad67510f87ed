// What can be wrong with a definition by itself: names that come twice, workloads that depend on nobody or in circles.
import type { WaveDefinition } from '../model/wave.ts';
import { type Node, spellCycle, tiersOf } from './order.ts';
import { didYouMean, type Problem } from './problems.ts';

interface Named {
  path: string;
  value: string;
}

/** Names and addresses that must be unique within a wave. */
export function repeated(definition: WaveDefinition): Problem[] {
  const groups = definition.groups.map(({ id }, g) => ({ path: `groups[${g}].id`, value: id }));
  const of = (
    pick: (workload: WaveDefinition['groups'][number]['workloads'][number]) => string | undefined,
    field: string,
  ): Named[] =>
    definition.groups.flatMap((group, g) =>
      group.workloads.flatMap((workload, w) => {
        const value = pick(workload);
        return value === undefined ? [] : [{ path: `groups[${g}].workloads[${w}].${field}`, value }];
      }),
    );
  return [
    ...twice(groups, 'group id', 'give each group its own id'),
    ...twice(
      of(({ id }) => id, 'id'),
      'workload id',
      'give each workload of the wave its own id',
    ),
    ...twice(
      of(({ source }) => source, 'source'),
      'source',
      'a source is migrated by one workload of a wave',
    ),
    ...twice(
      of(({ target }) => target.name, 'target.name'),
      'target name',
      'give each target its own name',
    ),
    ...twice(
      of(({ target }) => target.privateAddress, 'target.privateAddress'),
      'private address',
      'give each target its own address',
    ),
  ];
}

function twice(named: readonly Named[], what: string, fix: string): Problem[] {
  const first = new Map<string, string>();
  return named.flatMap(({ path, value }) => {
    const before = first.get(value);
    if (before === undefined) first.set(value, path);
    return before === undefined
      ? []
      : [{ path, value, message: `${what} "${value}" is used at ${before} already`, fix }];
  });
}

export function unknownDependencies(definition: WaveDefinition): Problem[] {
  const levels = dependencyLevels(definition);
  return levels.flatMap(({ nodes, what }) => {
    const known = new Set(nodes.map(({ id }) => id));
    return nodes.flatMap(({ dependsOn, path }) =>
      dependsOn.flatMap((other, index) => {
        if (known.has(other)) return [];
        const meant = didYouMean(other, known);
        const fix = meant === undefined ? `name one of: ${[...known].join(', ')}` : `did you mean "${meant}"?`;
        return [{ path: `${path}.dependsOn[${index}]`, value: other, message: `there is no ${what} "${other}"`, fix }];
      }),
    );
  });
}

export function cycles(definition: WaveDefinition): Problem[] {
  return dependencyLevels(definition).flatMap(({ nodes }) => {
    const order = tiersOf(nodes);
    if (!('cycle' in order)) return [];
    const at = nodes.find(({ id }) => id === order.cycle[0]);
    return [
      {
        path: `${at?.path ?? ''}.dependsOn`,
        value: at?.dependsOn,
        message: `these wait for each other: ${spellCycle(order.cycle)}`,
        fix: 'remove one of these dependencies',
      },
    ];
  });
}

/** Workloads may depend on workloads of their group; `needs.ts` has what groups depend on. */
function dependencyLevels({ groups }: WaveDefinition): { what: string; nodes: (Node & { path: string })[] }[] {
  return groups.map(({ id: group, workloads }, g) => ({
    what: `workload in group "${group}"`,
    nodes: workloads.map(({ id, dependsOn }, w) => ({ id, dependsOn, path: `groups[${g}].workloads[${w}]` })),
  }));
}
