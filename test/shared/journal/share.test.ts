import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shareOf, summaryOf } from '../../../shared/journal/share.ts';

const result = {
  isolation: [
    { workloadId: 'db', proof: 'isolated' },
    { workloadId: 'web', proof: 'isolated' },
  ],
  turns: [{ turn: 1, validated: [{ workloadId: 'web', results: [{ name: 'boot', passed: true }] }] }],
  decision: 'commit',
  decisions: [{ by: 'grace', comment: 'fine' }],
};

it('gives each workload its own part, and everybody what names nobody', () => {
  expect(shareOf(result, 'db')).toEqual({
    isolation: [{ workloadId: 'db', proof: 'isolated' }],
    turns: [{ turn: 1, validated: [] }],
    decision: 'commit',
    decisions: [{ by: 'grace', comment: 'fine' }],
  });
});

it('leaves the group with numbers where workloads have the rest', () => {
  expect(summaryOf(result)).toEqual({
    isolation: { items: 2, workloads: 2 },
    turns: [{ turn: 1, validated: { items: 1, workloads: 1 } }],
    decision: 'commit',
    decisions: [{ by: 'grace', comment: 'fine' }],
  });
});

it('loses nothing: every item is in exactly one part', () => {
  const item = fc.record({ workloadId: fc.constantFrom('a', 'b', 'c'), n: fc.integer() });
  fc.assert(
    fc.property(fc.array(item), (items) => {
      const parts = ['a', 'b', 'c'].flatMap((id) => (shareOf({ items }, id) as { items: unknown[] }).items);
      expect(parts).toHaveLength(items.length);
      expect(parts).toEqual(expect.arrayContaining(items));
    }),
  );
});
