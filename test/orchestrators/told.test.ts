// What the journal says of a whole wave in the modelled world: every change has its entry, and all chains hold.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { ActivityCall } from '../../shared/durable/activity.ts';
import { verifyWave } from '../../shared/journal/verifyWave.ts';
import { World } from './world/world.ts';

/** The operation ids of all calls during which the world was changed. */
function touchedBy(world: World): Set<string> {
  const under = new AsyncLocalStorage<string>();
  const touched = new Set<string>();
  const perform = world.script.perform.bind(world.script);
  world.script.perform = (activity, call, ...rest) =>
    under.run(ActivityCall.parse(call).operationId, () => perform(activity, call, ...rest));
  world.changes.push = (...changes) => {
    const operationId = under.getStore();
    // The model lets a machine that was asked to shut down go off when it is looked at next.
    if (operationId !== undefined && !operationId.includes(':inspectMachine:')) touched.add(operationId);
    return Array.prototype.push.apply(world.changes, changes);
  };
  return touched;
}

async function toldIn(world: World): Promise<Set<string | undefined>> {
  const { store } = world.capabilities;
  const own = (await store.journal.entries('w1')).map(({ entry }) => entry);
  const events = (await store.workloads.inPlace('w1', '', 10_000)).map(({ event }) => event);
  const ended = [...own, ...events].filter(({ type }) => /^landfall\.effect\.(applied|failed)$/.test(type));
  return new Set(ended.map(({ operationId }) => operationId));
}

for (const times of [1, 2])
  test(`every change of a wave that commits has its entry, each activity running ${times}×`, async () => {
    const world = await World.open({ times });
    const touched = touchedBy(world);
    await world.start();
    expect((await world.ended()).status).toBe('committed');
    await world.close();
    const told = await toldIn(world);
    expect(touched.size).toBeGreaterThan(20);
    expect([...touched].filter((operationId) => !told.has(operationId))).toEqual([]);
    const verified = await verifyWave(world.capabilities.store, 'w1');
    expect(verified).toMatchObject({ valid: true, misfits: [] });
    expect(verified.checked.anchors).toBeGreaterThan(1);
  });

test('a journal that is away for minutes holds effects up and fails none', async () => {
  const world = await World.open();
  const { workloads } = world.capabilities.store;
  const { append } = workloads;
  let refused = 0;
  workloads.append = async (waveId, workloadId, events) => {
    if (events.some(({ type }) => type === 'landfall.effect.applied') && refused < 40) {
      refused++;
      throw Object.assign(new Error('the journal is away'), { code: 503 });
    }
    return append(waveId, workloadId, events);
  };
  const touched = touchedBy(world);
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  await world.close();
  expect(refused).toBe(40);
  const told = await toldIn(world);
  expect([...touched].filter((operationId) => !told.has(operationId))).toEqual([]);
  expect(world.openQuestions()).toEqual([]);
});
