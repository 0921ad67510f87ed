import { afterEach, expect, test } from 'vitest';
import { legalEnds } from '../../../rehearsal/end/legalEnds.ts';
import type { Written } from '../../../rehearsal/world/mirror.ts';
import { onlyDb } from '../../orchestrators/world/definitions.ts';
import { World } from '../../orchestrators/world/world.ts';

let world: World;
afterEach(() => world.close());

test('a workload that goes on replicating after its wave was cancelled is found at the end of a rehearsal', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('openGate', () => world.people.cancel());
  await world.start();
  expect((await world.ended()).status).toBe('cancelled');
  expect(legalEnds(world)).toEqual([]);
  const workload = world.documents<Written & { state: object }>('state')[0];
  if (workload === undefined) throw new Error('no workload');
  world.note({ ...workload, state: { ...workload.state, phase: 'replicating' } } as Written);
  expect(legalEnds(world)).toEqual(['wave w1 was cancelled, and its db goes on replicating']);
  // Also where the wave says that it has only walked back: somebody had cancelled it.
  world.note({ ...world.wave(), status: 'rolledBack' } as unknown as Written);
  expect(legalEnds(world)).toEqual(['wave w1 was cancelled, and its db goes on replicating']);
});
