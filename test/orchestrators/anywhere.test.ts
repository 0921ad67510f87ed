// Orders and failures at moments that nobody chose: every so many activities of a whole wave. SWEEP=1 tries every one.
import { afterEach, describe, expect, test } from 'vitest';
import { onlyDb } from './world/definitions.ts';
import { broken, leaseKept, nothingLeft, servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const every = (stride: number, from: number): number[] => {
  const step = process.env['SWEEP'] === undefined ? stride : 1;
  return Array.from({ length: Math.ceil((140 - from) / step) }, (_, index) => from + index * step);
};
/** The nth activity of those that a question can be asked about: not what writes the question down. */
const journal =
  /^(record|enterPhase|askForHelp|helpEnded|tell|lease|release|outline|phaseOf|withPoint|ordersFor|.*Gate$)/;
const nth = (n: number, counts: () => boolean = () => true) => {
  let seen = 0;
  return () => !journal.test(world.script.calls.at(-1)?.name ?? '') && counts() && seen++ === n;
};

async function endedAfterAnswers(choice: 'retry' | 'rollback'): Promise<string> {
  for (;;) {
    await world.until(() => world.hasEnded() || world.openQuestions().length > 0);
    const [question] = world.openQuestions();
    if (question === undefined) return (await world.ended()).status;
    await world.people.answer(question.choices.includes(choice) ? choice : 'retry');
  }
}

/** It went back, all of it, or it had committed before. */
async function expectWayBack(status: string): Promise<void> {
  expect(world.openGates()).toEqual([]);
  if (status === 'committed') return expect(world.phases()).toEqual({ db: 'committed' });
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  expect(['idle', 'paused']).toContain(world.state('db').sync.status);
  if (world.state('db').phase === 'replicating') return leaseKept(world);
  expect(['registered', 'withdrawn']).toContain(world.state('db').phase);
  await nothingLeft(world);
}

describe('an order to roll back is carried out whenever it comes', () => {
  test.each(every(20, 7))('at activity %i', async (n) => {
    world = await World.open({ change: onlyDb });
    let seen = 0;
    const order = async () => {
      await world.people.rollBack().catch((refused: unknown) => expect(String(refused)).toMatch(/commit|nothing runs/));
      await world.told();
    };
    world.script.once('*', order, { matches: () => seen++ === n });
    await world.start();
    await expectWayBack(await endedAfterAnswers('retry'));
  });
});

describe('a failure after the effect has happened', () => {
  test.each(every(40, 5))('at activity %i, retried, changes nothing in the end', async (n) => {
    world = await World.open({ change: onlyDb });
    world.script.fail('*', broken, { when: 'after', matches: nth(n) });
    await world.start();
    expect(await endedAfterAnswers('retry')).toBe('committed');
  });

  test.each(every(40, 22))('at activity %i, answered with a rollback, leads back', async (n) => {
    world = await World.open({ change: onlyDb });
    world.script.fail('*', broken, { when: 'after', matches: nth(n) });
    await world.start();
    await expectWayBack(await endedAfterAnswers('rollback'));
  });

  test.each(every(48, 9))('at activity %i of the way back, retried, leads back', async (n) => {
    world = await World.open({ change: onlyDb });
    world.script.once('applyAction', () => world.people.rollBack());
    world.script.fail('*', broken, { when: 'after', matches: nth(n, () => world.state('db').phase === 'rollingBack') });
    await world.start();
    await expectWayBack(await endedAfterAnswers('retry'));
  });
});
