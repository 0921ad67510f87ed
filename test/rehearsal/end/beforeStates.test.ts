import { afterEach, expect, test } from 'vitest';
import { beforeStates } from '../../../rehearsal/end/beforeStates.ts';
import { onlyDb } from '../../orchestrators/world/definitions.ts';
import { World } from '../../orchestrators/world/world.ts';

let world: World;
afterEach(() => world.close());

test('a start mode that was not put back is found at the end of a rehearsal', async () => {
  world = await World.open({ change: onlyDb });
  const before = beforeStates.note(world);
  world.script.once('commandSource', () => world.people.rollBack(), { matches: ({ command }) => command === 'stop' });
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(beforeStates.compare(world, before)).toEqual([]);
  world.hosts.setStartMode('db-01', 'engine', 'manual');
  expect(beforeStates.compare(world, before)).toEqual([expect.stringContaining('"engine":"manual"')]);
});

test('a snapshot that was not let go is found at the end of a rehearsal', async () => {
  world = await World.open({ change: onlyDb });
  const before = beforeStates.note(world);
  world.script.once('commandSource', () => world.people.rollBack(), { matches: ({ command }) => command === 'stop' });
  await world.start();
  await world.ended();
  world.hosts.machine('db-01').snapshots.add('landfall-canary-cellar');
  expect(beforeStates.compare(world, before)).toEqual(['snapshot landfall-canary-cellar of db-01 is left']);
});
