// kill -9 at moments that a seed draws, of the local Azure and of appliances: the wave commits, every disk is equal to
// the byte, every event is there once. Fifty more seeds, with all three servers, are in test/soak.
import { expect, it } from 'vitest';
import { killsOf, servers, surviveKills } from './killed/run.ts';

const seeds = [1, 2, 3, 4, 5];
/** One server a seed, in turns: one that its own agent reads, one that a worker reads. */
const movedBy = (seed: number) => (seed % 2 === 1 ? servers.db : servers.jobs);

it.each(seeds)('seed %i', { timeout: 300_000 }, async (seed) => {
  expect(await surviveKills(seed, [movedBy(seed)])).toHaveLength(killsOf(seed, 1).length);
});

it('the seeds kill the local Azure as well as appliances', () => {
  const victims = new Set(seeds.flatMap((seed) => killsOf(seed, 1).map(({ victim }) => victim)));
  expect([...victims].sort()).toEqual(['appliance', 'cloud']);
});
