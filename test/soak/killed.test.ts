import { expect, it } from 'vitest';
import { killsOf, surviveKills } from '../scenarios/killed/run.ts';

const seeds = Array.from({ length: Number(process.env['LANDFALL_SOAK_KILLED'] ?? 50) }, (_, index) => 101 + index);

it.each(seeds)('seed %i', async (seed) => {
  const killed = await surviveKills(seed);
  console.info(`seed ${seed}: ${killed.join(', ')}`);
  expect(killed).toHaveLength(killsOf(seed).length);
});
