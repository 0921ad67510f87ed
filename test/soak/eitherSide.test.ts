import { expect, it } from 'vitest';
import { surviveEitherSide } from '../appliance/replication/eitherSide.ts';

const runs = Number(process.env['LANDFALL_SOAK_DISKS'] ?? 1000);

it(`${runs} disks of any size survive failures of either side at any moment`, async () => {
  expect.hasAssertions();
  await surviveEitherSide(runs);
});
