// A wave that is cancelled leaves nothing replicating: not in groups that had ended before, nor who had left theirs.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GateDocument } from '../../shared/store/documents.ts';
import { broken, nothingLeft, servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const gateOf = (name: string, groupId: string) => {
  const gate = world.openGates().find((each) => each.name === name && each.groupId === groupId);
  if (gate === undefined) throw new Error(`no gate ${name} of ${groupId}`);
  return gate;
};
const isOpen = (name: string, groupId: string) =>
  world.openGates().some((each) => each.name === name && each.groupId === groupId);
const reject = (gate: GateDocument) => world.people.reject(gate, gate.workloadIds);

/** Two groups that need nothing of each other; both ask before they cut over. */
async function twoGroups(times = 1): Promise<void> {
  world = await World.open({
    times,
    change: (posted) => {
      for (const group of posted.groups) group.dependsOn = [];
      posted.gates = { cutover: { partial: true } };
    },
  });
  delete world.people.atGate.cutover;
  await world.start();
  await world.until(() => isOpen('cutover', 'data') && isOpen('cutover', 'shop'), 'both gates');
}

describe.each([1, 2])('a cancel while one group runs, everything happening %d×,', (times) => {
  beforeEach(() => twoGroups(times));

  test('withdraws the workloads of one that was held', async () => {
    await reject(gateOf('cutover', 'data'));
    await world.until(() => world.wave().groups['data']?.status === 'held', 'it is held');
    expect(world.phases()['db']).toBe('replicating');
    await world.people.cancel();
    expect((await world.ended()).status).toBe('cancelled');
    expect(world.phases()).toEqual({ db: 'withdrawn', app: 'withdrawn', web: 'withdrawn' });
    expect(world.wave().groups['data']).toMatchObject({
      status: 'rolledBack',
      reason: expect.stringMatching(/^cancel by carl: told so; db withdrawn; before that: the cutover was rejected/),
    });
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
    await nothingLeft(world);
  });

  test('withdraws the workloads of one that was rolled back', async () => {
    await world.people.rollBack('replicating', 'data');
    await world.until(() => world.wave().groups['data']?.status === 'rolledBack', 'it is back');
    await world.people.cancel();
    expect((await world.ended()).status).toBe('cancelled');
    expect(world.phases()).toEqual({ db: 'withdrawn', app: 'withdrawn', web: 'withdrawn' });
    await nothingLeft(world);
  });
});

test('a cancel withdraws who has left its group and went on replicating', async () => {
  await twoGroups();
  await world.people.rollBackAlone(['web']);
  await world.until(() => world.state('web').left !== undefined && world.phases()['web'] === 'replicating', 'web left');
  await world.people.cancel();
  expect((await world.ended()).status).toBe('cancelled');
  expect(world.phases()).toEqual({ db: 'withdrawn', app: 'withdrawn', web: 'withdrawn' });
  await nothingLeft(world);
});

test('a cancel that comes after a rollback has decided withdraws what that leaves', async () => {
  await twoGroups();
  world.script.once('enterPhase', () => world.people.cancel(), { matches: ({ phase }) => phase === 'rollingBack' });
  await world.people.rollBack();
  expect((await world.ended()).status).toBe('cancelled');
  expect(world.phases()).toEqual({ db: 'withdrawn', app: 'withdrawn', web: 'withdrawn' });
  await nothingLeft(world);
});

test('an order to withdraw the whole wave does the same', async () => {
  await twoGroups();
  await reject(gateOf('cutover', 'data'));
  await world.until(() => world.wave().groups['data']?.status === 'held', 'it is held');
  await world.people.rollBack('withdrawn');
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.phases()).toEqual({ db: 'withdrawn', app: 'withdrawn', web: 'withdrawn' });
  await nothingLeft(world);
});

test('what has committed stays, and the rest of the wave is withdrawn', async () => {
  await twoGroups();
  await world.people.approve(gateOf('cutover', 'data'));
  await world.until(() => world.phases()['db'] === 'committed', 'data commits');
  await world.people.cancel();
  expect((await world.ended()).status).toBe('cancelled');
  expect(world.phases()).toEqual({ db: 'committed', app: 'withdrawn', web: 'withdrawn' });
});

test('what cannot be captured any more waits for people, who may have done it by hand', async () => {
  await twoGroups();
  await reject(gateOf('cutover', 'data'));
  await world.until(() => world.wave().groups['data']?.status === 'held', 'it is held');
  world.script.fail('latestPoint', broken, { matches: ({ workloadId }) => workloadId === 'db' });
  await world.people.cancel();
  await world.question();
  expect(world.openQuestions()).toMatchObject([
    { step: 'initialSync', workloadIds: ['db'], choices: ['retry', 'doneByHand'] },
  ]);
  await world.people.answer('doneByHand');
  expect((await world.ended()).status).toBe('cancelled');
  await nothingLeft(world);
});
