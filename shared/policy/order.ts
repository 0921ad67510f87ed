// Who goes before whom. Starting follows the tiers, stopping goes through them backwards.

export interface Node {
  id: string;
  dependsOn: readonly string[];
}

/**
 * Sorts nodes into tiers: everything in one tier depends only on earlier tiers. Dependencies on ids that are not among
 * the nodes are ignored; a cycle is answered as the path that closes, such as `['a', 'b', 'a']`.
 */
export function tiersOf(nodes: readonly Node[]): { tiers: string[][] } | { cycle: string[] } {
  const known = new Set(nodes.map(({ id }) => id));
  const waiting = new Map(
    nodes.map(({ id, dependsOn }) => [id, new Set(dependsOn.filter((other) => known.has(other)))]),
  );
  const tiers: string[][] = [];
  while (waiting.size > 0) {
    const tier = [...waiting].filter(([, needs]) => needs.size === 0).map(([id]) => id);
    if (tier.length === 0) return { cycle: cycleIn(waiting) };
    for (const id of tier) waiting.delete(id);
    for (const needs of waiting.values()) for (const id of tier) needs.delete(id);
    tiers.push(tier);
  }
  return { tiers };
}

/** Every node that is left needs another one that is left, so following needs must come back to where it has been. */
function cycleIn(waiting: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const path: string[] = [];
  let at = [...waiting.keys()][0];
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = [...(waiting.get(at) ?? [])][0];
  }
  return at === undefined ? path : [...path.slice(path.indexOf(at)), at];
}

/** A cycle as people read it. */
export function spellCycle(cycle: readonly string[]): string {
  return cycle.join(' → ');
}
