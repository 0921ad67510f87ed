// kill -9 at moments that a seed draws, of the local Azure and of appliances, while three servers move at once: the wave
// commits, every disk is equal to the byte, every event is there once. Fifty more seeds are in test/soak.
import { expect, it } from 'vitest';
import { killsOf, momentsEach, surviveKills } from './killed/run.ts';

const [seed, kills, servers] = [2, 8, 3];

it('a wave of three servers commits under eight kills', { timeout: 480_000 }, async () => {
  expect(await surviveKills(seed, { kills, atOnce: true })).toHaveLength(kills);
});

it('the local Azure is killed as well as appliances, in every third of the way', () => {
  const drawn = killsOf(seed, kills, servers);
  expect(new Set(drawn.map(({ victim }) => victim))).toEqual(new Set(['appliance', 'cloud']));
  const thirds = drawn.map(({ moment }) => Math.floor((3 * moment) / (servers * momentsEach)));
  expect(new Set(thirds)).toEqual(new Set([0, 1, 2]));
});
