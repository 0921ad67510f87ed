// kill -9 at moments that a seed draws, of the local Azure and of appliances: the wave commits, every disk is equal to
// the byte, every event is there once. Fifty more seeds are in test/soak.
import { expect, it } from 'vitest';
import { killsOf, surviveKills } from './killed/run.ts';

const seeds = [1, 2, 3, 4, 5];

it.each(seeds)('seed %i', { timeout: 300_000 }, async (seed) => {
  expect(await surviveKills(seed)).toHaveLength(killsOf(seed).length);
});

it('the seeds kill the local Azure as well as appliances', () => {
  const victims = new Set(seeds.flatMap((seed) => killsOf(seed).map(({ victim }) => victim)));
  expect([...victims].sort()).toEqual(['appliance', 'cloud']);
});
