// A cutover that runs past its window: before traffic has moved it asks or rolls back, afterwards it is only shown.
import { afterEach, describe, expect, test } from 'vitest';
import { onlyDb } from './world/definitions.ts';
import { broken, servesAsBefore, throttled } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

async function stuckUntilTheWindowHasClosed(activity: string, onOverrun: 'ask' | 'rollBack'): Promise<void> {
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      posted.onOverrun = onOverrun;
    },
  });
  world.keepTime();
  world.script.fail(activity, broken, { matches: ({ purpose }) => purpose !== 'test' });
  await world.start();
  await world.question();
  await world.until(() => world.capabilities.now() > '2026-12-06T01:00:10.000Z', 'the window closes');
}

test("the plan may say to roll back: the window's end is noticed while a question waits", async () => {
  await stuckUntilTheWindowHasClosed('setPower', 'rollBack');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.openQuestions()).toEqual([]);
  expect(world.wave().groups['data']?.reason).toContain(
    'the window closed at 2026-12-06T01:00:00.000Z before traffic had moved',
  );
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('else people are asked before the source goes off, and may go on past the window', async () => {
  await stuckUntilTheWindowHasClosed('setPower', 'ask');
  expect(world.wave().groups['data']).toMatchObject({
    status: 'cuttingOver',
    reason: 'the window closed at 2026-12-06T01:00:00.000Z before traffic had moved',
  });
  await world.people.answer('retry');
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'finalDelta', failure: { code: 'windowClosed' } }]);
  expect(world.hosts.machine('db-01').power).toBe('on');
  await world.people.answer('retry');
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', failure: { code: 'windowClosed' } }]);
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('they are asked before traffic moves as well, and may roll back instead', async () => {
  await stuckUntilTheWindowHasClosed('createMachine', 'ask');
  await world.people.answer('retry');
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', failure: { code: 'windowClosed' } }]);
  expect(world.azure.records.get('A db-01')?.values).toEqual(['10.9.9.9']);
  await world.people.answer('rollback');
  expect((await world.ended()).status).toBe('rolledBack');
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

describe('a cutover that would run past its window', () => {
  const late = '2026-12-06T00:45:00.000Z';

  /** Held up by a question that is answered when what is left no longer fits, and the window is still open. */
  async function heldUp(activity: string, onOverrun: 'ask' | 'rollBack', change = onlyDb): Promise<void> {
    world = await World.open({
      change: (posted) => {
        change(posted);
        posted.onOverrun = onOverrun;
      },
    });
    world.keepTime(60_000);
    world.script.fail(activity, broken, { matches: ({ purpose }) => purpose !== 'test' });
    await world.start();
    await world.question();
    await world.until(() => world.capabilities.now() > late, 'it is late');
    await world.people.answer('retry');
  }

  test('is not begun to be switched off: people are asked, and may go on', async () => {
    await heldUp('shutdownPolicy', 'ask');
    await world.question();
    expect(world.capabilities.now() < '2026-12-06T01:00:00.000Z').toBe(true);
    const { step, failure } = world.openQuestions()[0] ?? {};
    expect([step, failure?.code]).toEqual(['finalDelta', 'windowClosed']);
    expect(failure?.message).toMatch(
      /^db runs past its window: .* for the way back do not fit.* the latest safe start was /,
    );
    expect(world.hosts.machine('db-01')).toMatchObject({ power: 'on', asked: false });
    await world.people.answer('retry');
    await world.question();
    expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', failure: { code: 'windowClosed' } }]);
    expect(world.azure.records.get('A db-01')?.values).toEqual(['10.9.9.9']);
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });

  test.each(['shutdownPolicy', 'createMachine'])(
    'rolls back where the plan says so, held up at %s',
    async (activity) => {
      await heldUp(activity, 'rollBack');
      expect((await world.ended()).status).toBe('rolledBack');
      expect(world.capabilities.now() < '2026-12-06T01:00:00.000Z').toBe(true);
      expect(world.openQuestions()).toEqual([]);
      expect(world.wave().groups['data']?.reason).toContain('the latest safe start was');
      servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
    },
  );

  test('moves its traffic while the window is open where nothing of the plan leads back from there', async () => {
    await heldUp('createMachine', 'ask', (posted) => {
      onlyDb(posted);
      posted.gates = { commit: { required: false } };
      posted.commitPolicy = { onPassed: 'commit' };
    });
    expect((await world.ended()).status).toBe('committed');
    expect(world.documents('attention')).toHaveLength(1);
  });

  test.each([
    ['its source is not asked to shut down', 'setPower', 'finalDelta'],
    ['no traffic moves', 'enterPhase', 'postCutover'],
  ])('because it was held up after the last look: %s', async (_what, activity, step) => {
    world = await World.open({ change: onlyDb });
    const last = ({ action, phase }: Record<string, unknown>) => action === 'shutDown' || phase === 'trafficMoved';
    world.script.fail(activity, { ...throttled, retryAfterSeconds: 4 * 3600 }, { matches: last });
    await world.start();
    await world.question();
    expect(world.openQuestions()).toMatchObject([{ step, failure: { code: 'windowClosed' } }]);
    expect(world.hosts.machine('db-01').asked).toBe(step === 'postCutover');
    expect(world.azure.records.get('A db-01')?.values).toEqual(['10.9.9.9']);
    expect(world.state('db')).toMatchObject({
      phase: 'attention',
      remembered: step === 'finalDelta' ? 'finalSync' : 'launching',
    });
    // Nothing has moved: who cancels need not accept a loss.
    await world.people.cancel();
    expect((await world.ended()).status).toBe('cancelled');
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  });
});

test('after traffic has moved the end of the window is shown and changes nothing', async () => {
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      posted.onOverrun = 'rollBack';
      posted.commitPolicy = { timeout: 'P1D' };
    },
  });
  world.keepTime();
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
  await world.until(() => world.capabilities.now() > '2026-12-06T01:00:10.000Z', 'the window closes');
  expect(world.wave().groups['data']).toMatchObject({
    status: 'validating',
    reason: 'the window closed at 2026-12-06T01:00:00.000Z after traffic had moved',
  });
  const [gate] = world.openGates();
  if (gate === undefined) throw new Error('the gate has gone');
  await world.people.approve(gate);
  expect((await world.ended()).status).toBe('committed');
});

test('a watch over the window that fails is told in the journal, and what it watched stands', async () => {
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      posted.commitPolicy = { timeout: 'P1D' };
    },
  });
  world.keepTime();
  delete world.people.atGate.commit;
  const closing = ({ reason }: { reason?: unknown }) => String(reason).startsWith('the window closed');
  world.script.fail('recordGroup', broken, { matches: closing });
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
  await world.until(() => world.script.called('recordGroup', closing) > 0, 'the window closes');
  const [gate] = world.openGates();
  if (gate === undefined) throw new Error('the gate has gone');
  await world.people.approve(gate);
  const { status, groups } = await world.ended();
  expect([status, groups['data']?.status]).toEqual(['committed', 'committed']);
  const entries = await world.capabilities.store.journal.entries('w1');
  const told = entries.find(({ entry }) => entry.type === 'landfall.window.watchFailed');
  expect(told?.entry.data).toMatchObject({ groupId: 'data', failure: { message: broken.message } });
});

test('an order that comes during the last look before traffic moves is heeded before it moves', async () => {
  world = await World.open({ change: onlyDb });
  const cancelled = async () => {
    await world.people.cancel();
    await world.told();
  };
  world.script.once('withinWindow', cancelled, { matches: ({ step }) => step === 'postCutover' });
  await world.start();
  expect((await world.ended()).status).toBe('cancelled');
  const log = await world.capabilities.store.workloads.events('w1', 'db');
  const phases = log.flatMap(({ event }) =>
    event.type === 'landfall.workload.phaseEntered' ? [event.data.phase] : [],
  );
  expect(phases).not.toContain('trafficMoved');
});
