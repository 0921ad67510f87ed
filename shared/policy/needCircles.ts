// Circles of groups that wait for each other, within a wave and through whatever other waves.
import type { Need } from '../model/dependency.ts';
import type { WaveDefinition } from '../model/wave.ts';
import { type Node, spellCycle, tiersOf } from './order.ts';
import type { Problem } from './problems.ts';
import { groupsOf, type PlannedShape, type Shape } from './units.ts';

/** The circle that this wave is part of, if there is one: groups cut over whole, so one workload that waits makes its group wait. */
export function circles(
  definition: WaveDefinition,
  needs: ReadonlyMap<string, Need[]>,
  others: readonly PlannedShape[],
): Problem[] {
  const { id: ownId, groups } = definition;
  const own: Shape = { waveId: ownId, groups };
  const shapes = new Map<string, Shape>([own, ...others].map((shape) => [shape.waveId, shape]));
  const address = (waveId: string, groupId: string): string => `${waveId}/${groupId}`;
  const node = (waveId: string, groupId: string, of: readonly Need[]): Node => ({
    id: address(waveId, groupId),
    dependsOn: of.flatMap((need) => {
      const shape = shapes.get(need.waveId);
      return shape === undefined ? [] : groupsOf(need, shape).map((id) => address(need.waveId, id));
    }),
  });
  const mine = groups.map(({ id }) => node(ownId, id, needs.get(id) ?? []));
  const theirs = others.flatMap(({ waveId, groups: stored }) =>
    stored.map(({ id, needs: of }) => node(waveId, id, of)),
  );
  const order = tiersOf(reachable(mine, theirs));
  if (!('cycle' in order)) return [];
  const inside = order.cycle.every((id) => id.startsWith(`${ownId}/`));
  const g = groups.findIndex(({ id }) => order.cycle.includes(address(ownId, id)));
  const written = groups[g]?.dependsOn ?? [];
  return [
    {
      path: written.length === 0 ? 'dependsOn' : `groups[${g}].dependsOn`,
      value: written.length === 0 ? definition.dependsOn : written,
      message: `these wait for each other: ${spellCycle(inside ? order.cycle.map((id) => id.slice(ownId.length + 1)) : order.cycle)}`,
      fix: 'remove one of these dependencies',
    },
  ];
}

/** The nodes that these lead to, themselves included. */
function reachable(from: readonly Node[], others: readonly Node[]): Node[] {
  const byId = new Map(others.map((node) => [node.id, node]));
  const found = new Map(from.map((node) => [node.id, node]));
  for (const node of found.values())
    for (const next of node.dependsOn) {
      const other = byId.get(next);
      if (other !== undefined && !found.has(next)) found.set(next, other);
    }
  return [...found.values()];
}
