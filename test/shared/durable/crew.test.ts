import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crewSize, pack } from '../../../shared/durable/crew.ts';

const stages = fc
  .array(fc.integer({ min: 0, max: 60 }), { maxLength: 100 })
  .map((sizes) => sizes.map((size, stage) => Array.from({ length: size }, (_, index) => `${stage}-${index}`)));

it('everybody is in one crew, no crew is above its size, and stages keep their order', () => {
  fc.assert(
    fc.property(stages, (given) => {
      const rounds = pack(given);
      const crews = rounds.flat();
      for (const crew of crews) expect(crew.flat().length).toBeLessThanOrEqual(crewSize);
      expect(rounds.flatMap((round) => round.flat(2))).toEqual(given.flat());
      // Crews side by side share one stage; a crew of several stages is alone in its round.
      for (const round of rounds) if (round.length > 1) expect(round.every(({ length }) => length === 1)).toBe(true);
    }),
  );
});

it('a hundred stages of one, or one stage of a hundred, need five crews', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index);
  expect(pack(hundred.map((each) => [each])).flat()).toHaveLength(5);
  expect(pack([hundred]).flat()).toHaveLength(5);
});
