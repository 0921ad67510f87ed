// The course of a story: waves are planned, perhaps changed, started, and perhaps started once more.

import type { Cadence } from '../../shared/model/cadence.ts';
import { durationMs } from '../../shared/policy/duration.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';
import { cancelledInVain } from '../end/legalEnds.ts';
import type { Rehearsed } from '../rehearse.ts';
import type { World } from '../world/world.ts';
import { makeChange } from './changes.ts';
import type { Doings } from './doings.ts';
import type { Story } from './story.ts';

const longest = 60 * 86_400_000;
/** Longer than the checks of any drawn wave take, with all their tries. */
const patience = 86_400_000;

/** Plans and starts the waves, and waits for their ends; whoever did not commit may be started once more. */
export async function play(doings: Doings, { inventory, waves }: Rehearsed, story: Story): Promise<void> {
  const { world, chance } = doings;
  const { people, changes, keepsTime } = story;
  await world.stock(inventory);
  for (const wave of waves) await world.people.post(wave);
  world.keepTime(keepsTime ? tickOf(world) : 6 * 3_600_000);
  for (const change of changes.first) await makeChange(doings, change);
  for (const { id } of waves)
    if (id === waves[0]?.id) await start(doings, id);
    else world.motion.later(chance.below(3_600_000), () => start(doings, id));
  await world.lasting(
    () => waves.every(({ id }) => world.wave(id).attempt > 0 && world.hasEnded(id)),
    'the waves end',
    longest,
  );
  for (const what of cancelledInVain(world)) world.monitor.found('the end is legal', what);
  if (people.startsAgain) {
    for (const change of changes.again) await makeChange(doings, change);
    for (const { id } of waves)
      if (world.wave(id).status !== 'committed') await doings.ask(`start ${id} again`, 'wavesStart', { id }, {});
    await world.lasting(() => waves.every(({ id }) => world.hasEnded(id)), 'the waves end once more', longest);
  }
  if (!keepsTime && chance.happens(0.3)) await longAfter(world);
  await world.lasting(() => world.hasTold(), 'the change feed has told everything', longest);
}

/** A wave that may not be started at all is none that could be rehearsed: it throws what stands against it. */
async function start(doings: Doings, id: string): Promise<void> {
  const granted = await doings.ask(`start ${id}`, 'wavesStart', { id }, {});
  if (!granted && doings.world.wave(id).attempt === 0) await doings.world.people.start(id);
}

/** Until people have been asked what becomes of the points and sources of what has committed, and have answered. */
async function longAfter(world: World): Promise<void> {
  await world.motion.pass(15 * 86_400_000);
  const isOver = () => world.openGates().length + world.openQuestions().length === 0 && world.isAtRest();
  await world.lasting(isOver, 'people have decided about what has committed', longest);
}

/** What only looks is left behind by an order, and ends by itself: it has had its answer by then, or waited long enough. */
export async function letRest(world: World): Promise<void> {
  let over = false;
  world.motion.later(patience, async () => {
    over = true;
  });
  await world.lasting(() => over || world.isAtRest(), 'what was left behind ends', 2 * patience);
}

/** As often as the waves need it: deltas in time, and no lag that stops a cutover. */
function tickOf(world: World): number {
  const syncs = world.documents<WorkloadDocument>('state').map(({ plan }) => plan.settings.sync);
  // Only plain intervals say by themselves how often somebody must look; the others are seen every quarter of an hour.
  const often = (cadence: Cadence) =>
    typeof cadence === 'string' && cadence !== 'continuous' ? durationMs(cadence) : 900_000;
  const wanted = syncs.map(({ cadence, maxLagAtCutover }) => Math.min(often(cadence), durationMs(maxLagAtCutover) / 3));
  return Math.max(60_000, Math.min(900_000, ...wanted));
}
