// The local Cosmos DB, killed in the middle of its work.
import { expect, it } from 'vitest';
import { surviveKill } from '../local/cosmos/killed/run.ts';

const seeds = Array.from({ length: Number(process.env['LANDFALL_SOAK_COSMOS'] ?? 100) }, (_, index) => 1001 + index);

it.each(seeds)('seed %i', async (seed) => {
  expect(await surviveKill(seed)).toBeGreaterThanOrEqual(20);
});
