// Step 9 and the start modes of services: what it switches off, and what its undo puts back.
import { afterEach, expect, test } from 'vitest';
import { onlyDb } from './world/definitions.ts';
import { servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const modes = () => Object.fromEntries(world.hosts.machine('db-01').startModes);
const completed = (step: string) => (input: Record<string, unknown>) => {
  const what = input['what'] as { type: string; data: { step?: string } };
  return what.type === 'landfall.step.completed' && what.data.step === step;
};

test('what is stopped no longer starts by itself, and how it started is on record', async () => {
  world = await World.open({ change: onlyDb });
  world.hosts.setStartMode('db-01', 'reports', 'manual');
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(modes()).toEqual({ engine: 'manual', reports: 'manual' });
  expect(world.state('db').steps['stopServices']).toMatchObject({
    evidence: {
      before: [
        { name: 'engine', state: 'running', startMode: 'automatic' },
        { name: 'reports', state: 'running', startMode: 'manual' },
      ],
      after: [
        { name: 'engine', state: 'stopped', startMode: 'manual' },
        { name: 'reports', state: 'stopped', startMode: 'manual' },
      ],
    },
  });
});

test('a rollback after the source was off leaves every start mode and every service as it was', async () => {
  world = await World.open({ change: onlyDb });
  // A service that only people start, and one that starts by itself and happened to be stopped.
  world.hosts.setStartMode('db-01', 'engine', 'manual');
  world.hosts.setService('db-01', 'reports', 'stopped');
  world.script.once('recordStep', () => world.people.rollBack(), { matches: completed('finalDelta') });
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.changes).toContain('db-01 on');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'stopped' }, { engine: 'manual', reports: 'automatic' });
  expect(world.changes).not.toContain('db-01 reports running');
});

test('a stop that only came half way is undone from what was seen before it', async () => {
  world = await World.open({ change: onlyDb });
  world.appliances.failsServices = ({ type }) => {
    if (type !== 'landfall.services.stop') return false;
    world.hosts.setStartMode('db-01', 'reports', 'manual');
    world.hosts.setService('db-01', 'reports', 'stopped');
    world.hosts.setStartMode('db-01', 'engine', 'manual');
    return true;
  };
  await world.start();
  await world.question();
  expect(modes()).toEqual({ engine: 'manual', reports: 'manual' });
  await world.people.answer('rollback');
  expect((await world.ended()).status).toBe('rolledBack');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('nothing is stopped while nobody can say how a service starts', async () => {
  world = await World.open({ change: onlyDb });
  world.script.once('commandSource', () => world.hosts.setStartMode('db-01', 'engine', 'unknown'), {
    matches: ({ operationId }) => String(operationId).includes('beforeStop'),
    when: 'before',
  });
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([
    { step: 'stopServices', during: 'precheck', failure: { code: 'serviceFailed' } },
  ]);
  world.hosts.setStartMode('db-01', 'engine', 'automatic');
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('people who have to put services back by hand are told which start by themselves', async () => {
  world = await World.open({ change: onlyDb });
  world.hosts.setService('db-01', 'reports', 'stopped');
  world.appliances.failsServices = () => true;
  await world.start();
  await world.question();
  await world.people.answer('rollback');
  await world.question();
  expect(world.openQuestions()).toMatchObject([
    {
      step: 'stopServices',
      todo: [
        'let the service engine start automatically on the source of db',
        'start the service engine on the source of db',
        'let the service reports start automatically on the source of db',
      ],
    },
  ]);
  world.appliances.failsServices = () => false;
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('rolledBack');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'stopped' });
});
