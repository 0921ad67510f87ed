// Service Bus under kills: as in the suite, with a hundred seeds, each a kill under load on the data of those before.
import { expect, it } from 'vitest';
import { surviveKills } from '../local/servicebus/crash/survive.ts';
import { temporaryDirectory } from '../local/servicebus/harness.ts';

const count = Number(process.env['LANDFALL_SOAK_SERVICEBUS'] ?? 100);

it(`everything acknowledged is there, once, and in order, after ${count} kills`, async () => {
  const seeds = Array.from({ length: count }, (_, index) => 1001 + index);
  const { kills, acknowledged, settled, problems } = await surviveKills(temporaryDirectory(), seeds);
  console.info(`${kills} kills, ${acknowledged} sends and ${settled} settlements acknowledged`);
  expect(problems).toEqual([]);
  expect(kills).toBe(count);
});
