import { expect, it } from 'vitest';
// The whole example under kills: three servers in two groups, one after the other.
import { surviveKills } from '../scenarios/killed/run.ts';

const seeds = Array.from({ length: Number(process.env['LANDFALL_SOAK_KILLED'] ?? 50) }, (_, index) => 101 + index);
const kills = 8;

it.each(seeds)('seed %i', async (seed) => {
  const killed = await surviveKills(seed, { kills });
  console.info(`seed ${seed}: ${killed.join(', ')}`);
  expect(killed).toHaveLength(kills);
});
