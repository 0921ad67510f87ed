// A cutover and its window: nothing begins that would not end in time, whatever was approved.
import { afterEach, expect, test } from 'vitest';
import type { GateDocument } from '../../shared/store/documents.ts';
import { onlyDb } from './world/definitions.ts';
import { busy, servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const late = '2026-12-06T00:40:00.000Z';
const twoNights = {
  start: '2026-12-05T22:00',
  duration: 'PT4H',
  zone: 'Europe/Amsterdam',
  repeat: 'FREQ=DAILY;COUNT=2',
};
const stops = () => world.bus.sent.filter(({ command }) => command.type === 'landfall.services.stop');

test('after the latest safe start it is a no-go, with the numbers: nobody is asked, and without another window the group is held', async () => {
  world = await World.open({ change: onlyDb, start: late });
  await world.start();
  const { status, groups } = await world.ended();
  expect([status, groups['data']?.status]).toEqual(['rolledBack', 'held']);
  expect(groups['data']?.reason).toMatch(
    /^no-go: .*way back do not fit.* has 19 min left from .*; the latest safe start was 2026-12-06T00:\d\d:/,
  );
  expect(stops()).toEqual([]);
  expect(world.documents<GateDocument>('gate').filter(({ name }) => name === 'cutover')).toEqual([]);
  expect(world.phases()).toEqual({ db: 'replicating' });
});

test('after a no-go the group waits for the next window, asks for that one, and cuts over in it', async () => {
  world = await World.open({
    start: late,
    change: (posted) => {
      onlyDb(posted);
      posted.window = twoNights;
    },
  });
  world.keepTime();
  await world.start();
  await world.until(() => world.state('db').phase === 'cutoverQueued', 'it waits');
  expect(world.wave().groups['data']).toMatchObject({ status: 'waiting', reason: expect.stringMatching(/^no-go: /) });
  expect((await world.ended()).status).toBe('committed');
  expect(world.state('db').downtime?.began).toMatch(/^2026-12-06T21:00/);
});

test('an approval that comes after the latest safe start is for that window only: the next one is asked about anew', async () => {
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      posted.window = twoNights;
    },
  });
  world.keepTime();
  delete world.people.atGate.cutover;
  await world.start();
  const gates = () => world.openGates().filter(({ name }) => name === 'cutover');
  await world.until(() => gates().length > 0, 'the gate');
  const [first] = gates();
  await world.motion.pass(4 * 3_600_000);
  await world.people.approve(first as GateDocument);
  await world.until(() => gates().length > 0, 'another gate');
  expect(stops()).toEqual([]);
  expect(gates()[0]?.question).toContain('2026-12-06T21:00:00.000Z');
  await world.people.approve(gates()[0] as GateDocument);
  expect((await world.ended()).status).toBe('committed');
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

test('no service is told to stop after the latest safe start, also when the journal was away between the look and the stop', async () => {
  world = await World.open({ change: onlyDb });
  world.keepTime();
  const began = ({ what }: Record<string, unknown>) => (what as { type: string }).type === 'landfall.downtime.began';
  world.script.fail('recordStep', busy, { matches: began, times: 60 });
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]).toMatchObject({
    step: 'stopServices',
    failure: { code: 'windowClosed', message: expect.stringContaining('its services are not stopped') },
  });
  expect(stops()).toEqual([]);
  await world.people.answer('rollback');
  expect((await world.ended()).status).toBe('rolledBack');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('a region without room for the targets is a no-go before any service stops, and names what is missing', async () => {
  world = await World.open({ change: onlyDb });
  world.azure.room = {
    known: true,
    facts: {
      region: 'westeurope',
      usages: [{ name: 'standardDSv5Family', used: 10, limit: 10 }],
      sizes: [{ name: 'Standard_D2s_v5', family: 'standardDSv5Family', cores: 2 }],
    },
  };
  await world.start();
  await world.question();
  const [question] = world.openQuestions();
  expect(question?.failure).toMatchObject({
    code: 'quotaExceeded',
    message: expect.stringContaining('standardDSv5Family in westeurope: 2 cores are needed and 0 of 10 are free'),
    suggestion: expect.stringContaining('raise standardDSv5Family to 12'),
  });
  expect(stops()).toEqual([]);
  world.azure.room = { known: false, reason: 'nobody asks any more' };
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});
