// Scripts on targets in the modelled world: each succeeds once under its id however often it is asked for, is run again
// where it failed, and is taken back on the target before that goes.
import { afterEach, expect, test } from 'vitest';
import { beforeStates } from '../../rehearsal/end/beforeStates.ts';
import { environment, onlyDb } from './world/definitions.ts';
import { broken } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const undo = ['deregister db'];
const running =
  (more: object = { undo }) =>
  (posted: Parameters<typeof onlyDb>[0]): void => {
    onlyDb(posted);
    const script = { kind: 'script' as const, name: 'register', run: ['register db'], ...more };
    posted.groups[0]?.workloads[0]?.settings?.cutover?.actions?.splice(1, 0, script);
  };
const ran = () => world.azure.scripts.ran.map(({ machine, lines }) => `${machine}: ${lines.join()}`);
async function toCommitGate(): Promise<void> {
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
}

test.each([1, 2])(
  'a script runs once on the target of a committed workload, each activity running %i×',
  async (times) => {
    world = await World.open({ change: running(), times });
    const before = beforeStates.note(world);
    await world.start();
    expect((await world.ended()).status).toBe('committed');
    expect(ran()).toEqual(['db-01: register db']);
    expect(beforeStates.compare(world, before)).toEqual([]);
    world.azure.scripts.ran.length = 0;
    expect(beforeStates.compare(world, before)).toEqual(['db committed, and "register" stands 0 times']);
  },
);

test('a script whose answer was lost has run, and a retry does not run it again', async () => {
  world = await World.open({ change: running() });
  world.script.fail('applyAction', broken, { matches: ({ index }) => index === 1, when: 'after' });
  await world.start();
  await world.question();
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
  expect(ran()).toEqual(['db-01: register db']);
});

test('a script that fails is told with what it said, and a retry runs it from its beginning', async () => {
  world = await World.open({ change: running() });
  world.azure.scripts.failing.add('register db');
  await world.start();
  await world.question();
  const [question] = world.openQuestions();
  expect(question).toMatchObject({
    step: 'postCutover',
    failure: { message: expect.stringContaining('The script "register" ended with 1 on db-01') },
  });
  expect(question?.failure.detail).toContain('register db: failed');
  expect(ran()).toEqual([]);
  world.azure.scripts.failing.clear();
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
  expect(ran()).toEqual(['db-01: register db']);
});

test('a script that fails may be left out', async () => {
  world = await World.open({ change: running() });
  world.azure.scripts.failing.add('register db');
  await world.start();
  await world.question();
  await world.people.answer('retry', { changed: { leaveOut: ['register'] } });
  expect((await world.ended()).status).toBe('committed');
  expect(ran()).toEqual([]);
});

test('what a script did is taken back on the target before that goes', async () => {
  world = await World.open({ change: running() });
  const before = beforeStates.note(world);
  await toCommitGate();
  await world.people.rollBack();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(ran()).toEqual(['db-01: register db', 'db-01: deregister db']);
  const changes = world.changes;
  const deregistered = changes.findIndex((what) => /^db-01 ran .*:undo$/.test(what));
  expect(changes.indexOf('delete machine/db-01')).toBeGreaterThan(deregistered);
  expect(beforeStates.compare(world, before)).toEqual([]);
  world.azure.scripts.ran.pop();
  expect(beforeStates.compare(world, before)).toEqual(['"register" was run for db, and never taken back']);
});

test('a script that failed halfway is taken back, one that never began is not', async () => {
  world = await World.open({ change: running() });
  world.azure.scripts.failing.add('register db');
  await world.start();
  await world.question();
  await world.people.answer('rollback');
  await world.ended();
  expect(ran()).toEqual(['db-01: deregister db']);
  await world.close();

  world = await World.open({ change: running() });
  world.script.fail('applyAction', broken, { matches: ({ index }) => index === 0 });
  await world.start();
  await world.question();
  await world.people.answer('rollback');
  await world.ended();
  expect(ran()).toEqual([]);
});

test('where a script has no undo, its work goes with the target', async () => {
  world = await World.open({ change: running({}) });
  await toCommitGate();
  await world.people.rollBack();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(ran()).toEqual(['db-01: register db']);
});

test('an undo that fails is shown with what is left to be done by hand', async () => {
  world = await World.open({ change: running() });
  await toCommitGate();
  world.azure.scripts.failing.add('deregister db');
  await world.people.rollBack();
  await world.question();
  const [question] = world.openQuestions();
  expect(question).toMatchObject({ step: 'postCutover', during: 'undo' });
  expect(question?.todo).toContain('run on db-01 what takes "register" back: deregister db');
  world.azure.scripts.failing.clear();
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(ran()).toEqual(['db-01: register db', 'db-01: deregister db']);
});

test('an environment that no longer allows scripts is found while the source serves', async () => {
  world = await World.open({ change: running() });
  const { environments } = world.capabilities.store;
  await environments.put({ ...environment, scripts: false });
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'stopServices', during: 'precheck' }]);
  expect(world.state('db').downtime).toBeUndefined();
  await environments.put(environment);
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});
