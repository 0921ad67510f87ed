import { expect, test } from 'vitest';
import type { Replay } from '../../../rehearsal/engine/startEngine.ts';
import { onlyDb, onlyShop } from '../../orchestrators/world/definitions.ts';
import { broken } from '../../orchestrators/world/expectations.ts';
import { expectSound } from '../../orchestrators/world/invariants.ts';
import { World } from '../../orchestrators/world/world.ts';

const stories: Record<string, { change: typeof onlyDb; prepare: (world: World) => void }> = {
  'a wave that commits': { change: onlyShop, prepare: () => {} },
  'a wave that is rolled back after a question': {
    change: onlyDb,
    prepare: (world) => {
      world.script.fail('importDisk', broken, { matches: ({ purpose }) => purpose === 'cutover' });
      world.script.once('askForHelp', () =>
        world.motion.later(60_000, async () => void (await world.people.answer('rollback'))),
      );
    },
  },
};

async function told(replay: Replay, { change, prepare }: (typeof stories)[string]) {
  const world = await World.open({ change, replay });
  prepare(world);
  await world.start();
  const { status } = await world.ended();
  await expectSound(world);
  await world.close();
  const { changes, script } = world;
  return { status, changes, calls: script.calls, phases: world.phases() };
}

test.each(Object.keys(stories))(
  '%s is the same story live and replayed from its history at every episode',
  async (name) => {
    const story = stories[name]!;
    const live = await told('live', story);
    expect(live.calls.length).toBeGreaterThan(100);
    expect(live).toEqual(await told('always', story));
  },
);
