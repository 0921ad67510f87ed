// A group whose orchestration breaks, which nothing here wants, and which must not be silent where it happens.
import { afterEach, expect, test } from 'vitest';
import { broken } from './world/expectations.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(() => world.close());

test('a group whose orchestration breaks is shown as failed, and who depends on it is held', async () => {
  world = await World.open();
  world.script.fail('recordGroup', broken, {
    times: 99,
    matches: ({ groupId, status }) => groupId === 'data' && status === 'testing',
  });
  world.motion.expects = (error) => String(error).includes(broken.message);
  await world.start();
  const wave = await world.ended();
  expect(wave.status).toBe('failed');
  expect(wave.groups['data']).toMatchObject({ status: 'failed', reason: expect.stringContaining('broke') });
  expect(wave.groups['shop']).toMatchObject({ status: 'held' });
});
