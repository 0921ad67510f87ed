// Small waves under drawn failures, crashes, late and repeated events, orders and refusals. What a seed breaks is told
// with its number; `rehearse` with that number alone tells the same story again.
import { expect, test } from 'vitest';
import { rehearse } from '../../rehearsal/rehearse.ts';
import { smallWaves } from '../../rehearsal/story/smallWaves.ts';
import { rehearsedApp } from '../../rehearsal/world/world.ts';

const app = await rehearsedApp();

test.each([0, 50, 100, 150])(
  'fifty seeds from %i on keep every invariant at every transition and end legally',
  async (from) => {
    const broken: unknown[] = [];
    for (let seed = from; seed < from + 50; seed++) {
      const { findings } = await rehearse(app, smallWaves(seed), seed);
      if (findings.length > 0) broken.push({ seed, findings });
    }
    expect(broken).toEqual([]);
  },
  // A busy machine takes longer; a story that is cut off would go on beside the next one.
  180_000,
);

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
