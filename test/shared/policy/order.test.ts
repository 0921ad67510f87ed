import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Node, spellCycle, tiersOf } from '../../../shared/policy/order.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
/** Any graph over these names, circles and loops included. */
const graphs = fc
  .array(fc.array(fc.constantFrom(...names), { maxLength: 3 }), { minLength: names.length, maxLength: names.length })
  .map((needs): Node[] => names.map((id, index) => ({ id, dependsOn: needs[index] ?? [] })));

it('either every node comes after all it depends on, or a circle is shown that is really there', () => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const needs = new Map(nodes.map(({ id, dependsOn }) => [id, dependsOn]));
      const order = tiersOf(nodes);
      if ('cycle' in order) {
        expect(order.cycle.length).toBeGreaterThan(1);
        expect(order.cycle[0]).toBe(order.cycle.at(-1));
        for (const [index, next] of order.cycle.slice(1).entries())
          expect(needs.get(order.cycle[index] ?? '')).toContain(next);
        return;
      }
      const tier = new Map(order.tiers.flatMap((ids, index) => ids.map((id) => [id, index] as const)));
      expect([...tier.keys()].sort()).toEqual(names);
      for (const { id, dependsOn } of nodes)
        for (const other of dependsOn) expect(tier.get(other)).toBeLessThan(tier.get(id) ?? -1);
    }),
  );
});

it('stopping in the reverse order, nothing loses what it depends on while it still runs', () => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const order = tiersOf(nodes);
      fc.pre('tiers' in order);
      if (!('tiers' in order)) return;
      const running = new Set(names);
      for (const tier of order.tiers.toReversed()) {
        for (const id of tier) running.delete(id);
        for (const { id, dependsOn } of nodes)
          if (running.has(id)) expect(dependsOn.filter((other) => !running.has(other))).toEqual([]);
      }
      expect(running.size).toBe(0);
    }),
  );
});

it('starts everything as early as it can', () => {
  const nodes = [
    { id: 'web', dependsOn: ['app'] },
    { id: 'app', dependsOn: ['db', 'cache'] },
    { id: 'db', dependsOn: [] },
    { id: 'cache', dependsOn: ['elsewhere'] },
  ];
  expect(tiersOf(nodes)).toEqual({ tiers: [['db', 'cache'], ['app'], ['web']] });
});

it('spells a circle out', () => {
  const order = tiersOf([
    { id: 'a', dependsOn: ['b'] },
    { id: 'b', dependsOn: ['a'] },
  ]);
  expect('cycle' in order && spellCycle(order.cycle)).toBe('a → b → a');
  expect(tiersOf([{ id: 'a', dependsOn: ['a'] }])).toEqual({ cycle: ['a', 'a'] });
});
