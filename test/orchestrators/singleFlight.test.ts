import { afterEach, expect, test } from 'vitest';
import { enqueueSync, withdrawSync } from '../../shared/sync/dispatch.ts';
import { onlyDb } from './world/definitions.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

test('a final sync that waits for another one asks people after two hours, and costs little history until then', async () => {
  world = await World.open({ change: onlyDb });
  const plan = () => world.workloads('w1')[0]?.plan as never;
  world.script.once('enterPhase', () => enqueueSync(world.capabilities, plan(), 'delta', 'deltas:w1.db:0'), {
    matches: ({ phase }) => phase === 'finalSync',
  });
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([
    { step: 'finalDelta', failure: { code: 'syncFailed', message: expect.stringContaining('another sync') } },
  ]);
  expect(world.script.called('requestSync', ({ kind }) => kind === 'final')).toBeLessThan(150);
  await withdrawSync(world.capabilities, plan(), 'test', 'it does not end');
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});
