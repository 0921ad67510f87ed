// Step 12: flaky checks get their chance, silence is a verdict of its own, and people may ask for another turn.
import { afterEach, describe, expect, test } from 'vitest';
import type { WaveDefinition } from '../../shared/model/wave.ts';
import type { GateDocument } from '../../shared/store/documents.ts';
import { onlyDb } from './world/definitions.ts';
import { servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const reasons = { acceptDataLoss: 'a rehearsal', acceptUnproven: 'a rehearsal' };
const validating = () => world.state('db').phase === 'validating';

async function open(policy: Partial<WaveDefinition['commitPolicy']>, patience: object = {}): Promise<void> {
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      posted.commitPolicy = policy;
      const [db] = posted.groups[0]?.workloads ?? [];
      if (db?.settings?.validation) Object.assign(db.settings.validation, patience);
    },
  });
  world.keepTime();
}

const turns = async () => {
  const log = await world.capabilities.store.workloads.events('w1', 'db');
  return log.flatMap(({ event }) => (event.type === 'landfall.validation.judged' ? [event.data] : []));
};

test('a check that fails twice and passes then has passed, and its tries are kept', async () => {
  await open({}, { tries: 3, tryEvery: 'PT1M' });
  let asked = 0;
  world.appliances.failsCheck = () => validating() && ++asked < 3;
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(await turns()).toMatchObject([
    {
      turn: 1,
      verdict: 'passed',
      results: [
        { name: 'boots', tries: 1 },
        { name: 'answers', tries: 3, passed: true },
      ],
    },
  ]);
});

test('a check that fails in all its tries has failed, and nobody tries on', async () => {
  await open({ onFailed: 'rollback', ...reasons }, { tries: 3 });
  world.appliances.failsCheck = validating;
  await world.start();
  expect((await world.ended()).status).toBe('rolledBack');
  expect(await turns()).toMatchObject([
    { verdict: 'failed', results: [{ passed: true }, { tries: 3, passed: false }] },
  ]);
});

describe('when the appliance does not answer', () => {
  const ignored = async (policy: Partial<WaveDefinition['commitPolicy']>) => {
    await open(policy, { answerWithin: 'PT10M' });
    world.appliances.ignores = ({ type }) => type === 'landfall.check.run' && validating();
    await world.start();
  };

  test('the policy may roll back', async () => {
    await ignored({ onSilent: 'rollback', ...reasons });
    expect((await world.ended()).status).toBe('rolledBack');
    expect(await turns()).toMatchObject([{ verdict: 'silent' }]);
    servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  });

  test('the policy may commit all the same, once people have approved', async () => {
    await ignored({ onSilent: 'commit', ...reasons });
    expect((await world.ended()).status).toBe('committed');
    expect(world.documents<GateDocument>('gate').find(({ name }) => name === 'commit')?.question).toContain(
      'got no answer',
    );
  });

  test('people are asked where it waits, and a retry is another turn', async () => {
    await ignored({});
    await world.question();
    expect(world.openQuestions()[0]).toMatchObject({ step: 'finalValidation', failure: { code: 'applianceSilent' } });
    world.appliances.ignores = () => false;
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
    expect(await turns()).toMatchObject([
      { turn: 1, verdict: 'silent' },
      { turn: 2, verdict: 'passed' },
    ]);
  });
});

test("people who are asked after failed checks have the policy's time to answer, and then it rolls back", async () => {
  await open({ timeout: 'PT1H', onTimeout: 'rollback', ...reasons });
  world.appliances.failsCheck = validating;
  await world.start();
  await world.question();
  const [question] = world.openQuestions();
  expect(Date.parse(question?.until ?? '') - Date.parse(question?.openedAt ?? '')).toBeGreaterThan(3_590_000);
  expect((await world.ended()).status).toBe('rolledBack');
  expect(world.openQuestions()).toEqual([]);
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
});

test('an answer in time is heeded, and a retry has the whole time again', async () => {
  await open({ timeout: 'PT1H', onTimeout: 'rollback', ...reasons });
  world.appliances.failsCheck = validating;
  await world.start();
  await world.question();
  await world.motion.pass(50 * 60_000);
  await world.people.answer('retry');
  await world.question();
  await world.motion.pass(50 * 60_000);
  world.appliances.failsCheck = () => false;
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('an answer that is given as the time runs out counts', async () => {
  await open({ timeout: 'PT1H', onTimeout: 'rollback', ...reasons });
  world.appliances.failsCheck = validating;
  await world.start();
  await world.question();
  world.script.once('withdrawQuestion', () => world.people.answer('retry'), { when: 'before' });
  world.appliances.failsCheck = () => false;
  expect((await world.ended()).status).toBe('committed');
});

test('people who wait at the commit gate may ask for another turn: the gate is withdrawn and a new one asks', async () => {
  await open({});
  delete world.people.atGate.commit;
  await world.start();
  const openCommit = () => world.openGates().filter(({ name }) => name === 'commit');
  await world.until(() => openCommit().length > 0);
  const [first] = openCommit();
  world.appliances.failsCheck = validating;
  await world.people.validate('data');
  await world.question();
  expect(openCommit()).toEqual([]);
  world.appliances.failsCheck = () => false;
  await world.people.answer('retry');
  await world.until(() => openCommit().length > 0);
  expect(openCommit()[0]?.id).not.toBe(first?.id);
  world.people.atGate.commit = 'approve';
  await world.people.decide(openCommit()[0] as GateDocument);
  expect((await world.ended()).status).toBe('committed');
  expect((await turns()).map(({ verdict }) => verdict)).toEqual(['passed', 'failed', 'passed']);
});

test('another turn that is asked for as people approve does not take their approval away', async () => {
  await open({});
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'));
  const [gate] = world.openGates();
  world.people.atGate.commit = 'approve';
  world.script.once('withdrawGate', () => world.people.decide(gate as GateDocument), { when: 'before' });
  await world.people.validate('data');
  expect((await world.ended()).status).toBe('committed');
});
