// Small waves under drawn failures, crashes, late and repeated events, orders and refusals. What a seed breaks is told
// with its number; `rehearse` with that number alone tells the same story again.
import { expect, test } from 'vitest';
import { rehearse } from '../../rehearsal/rehearse.ts';
import { smallWaves } from '../../rehearsal/story/smallWaves.ts';
import { rehearsedApp } from '../../rehearsal/world/world.ts';
import { allKinds, kindsOf } from './story/kinds.ts';

const app = await rehearsedApp();
const happened = new Set<string>();

test.each([0, 50, 100, 150])(
  'fifty seeds from %i on keep every invariant at every transition and end legally',
  async (from) => {
    const broken: unknown[] = [];
    for (let seed = from; seed < from + 50; seed++) {
      const rehearsal = await rehearse(app, smallWaves(seed), seed);
      const { findings } = rehearsal;
      if (findings.length > 0) broken.push({ seed, findings });
      for (const kind of kindsOf(rehearsal)) happened.add(kind);
    }
    expect(broken).toEqual([]);
  },
  // A busy machine takes longer; a story that is cut off would go on beside the next one.
  180_000,
);

test('in these seeds nearly every kind of mischief, order, answer and decision has made a difference; a soak asks for all', () => {
  const missing = allKinds.filter((kind) => !happened.has(kind));
  expect(missing.length, missing.join('; ')).toBeLessThanOrEqual(12);
});

test('a seed tells the same story each time, live or replayed from its history at every episode', async () => {
  for (const seed of [7, 38]) {
    const told = async (replay: 'live' | 'always') => {
      const { digest, findings, deeds } = await rehearse(app, smallWaves(seed), seed, { replay });
      return { digest, findings, deeds };
    };
    const first = await told('live');
    expect(await told('live')).toEqual(first);
    expect(await told('always')).toEqual(first);
  }
});
