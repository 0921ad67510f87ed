import fc from 'fast-check';
import { expect, it } from 'vitest';
import { criticalPath, type Timed } from '../../../shared/policy/criticalPath.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
/** Any graph in which only later names depend on earlier ones, shown in any order. */
const graphs = fc
  .tuple(
    fc.array(fc.nat(50), { minLength: 7, maxLength: 7 }),
    fc.array(fc.array(fc.nat(6), { maxLength: 3 }), { minLength: 7, maxLength: 7 }),
  )
  .chain(([durations, needs]) => {
    const nodes = names.map(
      (id, n): Timed => ({
        id,
        durationMs: durations[n] ?? 0,
        dependsOn: (needs[n] ?? []).filter((other) => other < n).map((other) => names[other] ?? ''),
      }),
    );
    return fc.shuffledSubarray(nodes, { minLength: 7 });
  });

/** By trying every chain. */
function longest(nodes: readonly Timed[]): number {
  const chainTo = (id: string): number => {
    const node = nodes.find((each) => each.id === id);
    return node === undefined ? 0 : node.durationMs + Math.max(0, ...node.dependsOn.map(chainTo));
  };
  return Math.max(...nodes.map(({ id }) => chainTo(id)));
}
const longer = (nodes: readonly Timed[], id: string, by: number): Timed[] =>
  nodes.map((node) => (node.id === id ? { ...node, durationMs: node.durationMs + by } : node));

it('fractions of a millisecond break no path', () => {
  fc.assert(
    fc.property(graphs, fc.double({ min: 0.1, max: 9, noNaN: true }), (nodes, unit) => {
      const fractions = nodes.map((node) => ({ ...node, durationMs: node.durationMs * unit }));
      const { path, lengthMs } = criticalPath(fractions);
      const sum = path.reduce((total, id) => total + (fractions.find((each) => each.id === id)?.durationMs ?? 0), 0);
      expect(sum).toBeCloseTo(lengthMs, 6);
      expect(lengthMs).toBeCloseTo(longest(fractions), 6);
    }),
  );
});

it('the path is a chain of what waits for each other, and no chain is longer', () => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const { path, lengthMs } = criticalPath(nodes);
      const of = new Map(nodes.map((node) => [node.id, node]));
      expect(lengthMs).toBe(longest(nodes));
      expect(path.reduce((sum, id) => sum + (of.get(id)?.durationMs ?? 0), 0)).toBe(lengthMs);
      for (const [n, id] of path.slice(1).entries()) expect(of.get(id)?.dependsOn).toContain(path[n]);
    }),
  );
});

it('whatever takes longer by its slack does no harm, and by more makes the whole longer by just that', () => {
  fc.assert(
    fc.property(graphs, fc.constantFrom(...names), fc.integer({ min: 1, max: 9 }), (nodes, id, more) => {
      const { lengthMs, of, path } = criticalPath(nodes);
      const slack = of[id]?.slackMs ?? -1;
      expect(slack).toBeGreaterThanOrEqual(0);
      if (path.includes(id)) expect(slack).toBe(0);
      expect(criticalPath(longer(nodes, id, slack)).lengthMs).toBe(lengthMs);
      expect(criticalPath(longer(nodes, id, slack + more)).lengthMs).toBe(lengthMs + more);
    }),
  );
});

it('what depends on something that is not there starts at once, and nothing has no path', () => {
  expect(criticalPath([{ id: 'a', durationMs: 5, dependsOn: ['gone'] }])).toEqual({
    path: ['a'],
    lengthMs: 5,
    of: { a: { earliestStartMs: 0, slackMs: 0 } },
  });
  expect(criticalPath([])).toEqual({ path: [], lengthMs: 0, of: {} });
});
