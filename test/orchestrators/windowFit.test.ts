// A cutover and its window: nothing begins that would not end in time, whatever was approved.
import { afterEach, expect, test } from 'vitest';
import { onlyDb } from './world/definitions.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

test('no service stops after the latest safe start: people are told the numbers and asked', async () => {
  world = await World.open({ change: onlyDb, start: '2026-12-06T00:40:00.000Z' });
  await world.start();
  await world.until(() => world.openQuestions().length > 0, 'a question');
  const [question] = world.openQuestions();
  expect(question).toMatchObject({ step: 'stopServices', failure: { code: 'windowClosed' } });
  expect(question?.failure.message).toMatch(
    /way back do not fit.* has 20 min left from .*; the latest safe start was 2026-12-06T00:\d\d:/,
  );
  expect(world.bus.sent.filter(({ command }) => command.type === 'landfall.services.stop')).toEqual([]);
  await world.people.answer('rollback');
  expect((await world.ended()).status).toBe('rolledBack');
});

test('what UAT’s clones took to come up is kept for the prediction, and how long services took to stop', async () => {
  world = await World.open({ change: onlyDb });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  const { launched, steps, syncRuns } = world.state('db');
  expect(launched).toMatchObject({
    purpose: 'cutover',
    importSeconds: expect.any(Number),
    bootSeconds: expect.any(Number),
  });
  const launches = (await world.capabilities.store.workloads.events('w1', 'db')).filter(
    ({ event }) => event.type === 'landfall.machine.launched',
  );
  expect(launches.map(({ event }) => event.data)).toMatchObject([{ purpose: 'test' }, { purpose: 'cutover' }]);
  expect(steps['stopServices']?.seconds).toBeGreaterThanOrEqual(0);
  expect(syncRuns.map(({ kind }) => kind)).toEqual(['initial', 'final', 'final']);
});
