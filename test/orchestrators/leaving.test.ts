// One workload is rolled back alone: it leaves its group, which goes on without it where that is possible.
import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { manyWorkloads, onlyShop } from './world/definitions.ts';
import { broken, busy, leaseKept, servesAsBefore, times } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});
const of = (workloadId: string) => (input: Record<string, unknown>) => input['workloadId'] === workloadId;
const goOn: typeof onlyShop = (posted) => {
  onlyShop(posted);
  posted.onFailure = 'goOn';
};

/** Two workloads that need nobody, in a group that goes on without who fails. */
async function openTwo(also: (posted: Parameters<typeof goOn>[0]) => void = () => {}, times = 1): Promise<void> {
  const { sources, change } = manyWorkloads(2);
  world = await World.open({
    sources,
    times,
    change: (posted) => {
      change(posted);
      posted.onFailure = 'goOn';
      also(posted);
    },
  });
  for (const id of ['s-0', 's-1']) world.azure.records.set(`A ${id}`, { ttlSeconds: 300, values: ['10.9.9.9'] });
}
const machineOf = (purpose: string, workloadId: string) => (input: Record<string, unknown>) =>
  input['purpose'] === purpose && input['workloadId'] === workloadId;

describe('a workload that is rolled back alone', () => {
  test('while it is prepared leaves, and the others commit without it', async () => {
    world = await World.open({ change: onlyShop });
    world.script.once('preflightSource', () => world.people.rollBackAlone(['web']), { matches: of('web') });
    await world.start();
    expect((await world.ended()).status).toBe('incomplete');
    expect(world.phases()).toMatchObject({ app: 'committed', web: 'withdrawn' });
    expect(world.state('web').left).toMatchObject({ by: 'carl', attempt: 1 });
    servesAsBefore(world, 'web-01', { web: 'running' });
  });

  test('while its group waits is let go at the next turn, and goes on replicating', async () => {
    world = await World.open({ change: onlyShop });
    delete world.people.atGate.cutover;
    await world.start();
    await world.until(() => world.openGates().some(({ name }) => name === 'cutover'));
    await world.people.rollBackAlone(['web']);
    world.people.atGate.cutover = 'approve';
    for (const gate of world.openGates()) await world.people.decide(gate);
    expect((await world.ended()).status).toBe('incomplete');
    expect(world.phases()).toMatchObject({ app: 'committed', web: 'replicating' });
    servesAsBefore(world, 'web-01', { web: 'running' });
    await leaseKept(world);
  });

  test('stays where others depend on it, or nobody else is left, and once the cutover has begun', async () => {
    world = await World.open({ change: onlyShop });
    delete world.people.atGate.uat;
    await world.start();
    await world.until(() => world.openGates().length > 0);
    await expect(world.people.rollBackAlone(['app'])).rejects.toThrow('web would stay and depends on app');
    await expect(world.people.rollBackAlone(['app', 'web'])).rejects.toThrow('nobody would be left');
    world.people.atGate.uat = 'approve';
    delete world.people.atGate.commit;
    for (const gate of world.openGates()) await world.people.decide(gate);
    await world.until(() => world.phases()['web'] === 'sourceOff');
    await expect(world.people.rollBackAlone(['web'])).rejects.toThrow('has begun');
    await world.people.rollBack();
    await world.ended();
  });

  test('is taken up again by the next start, and then the wave commits', async () => {
    world = await World.open({ change: onlyShop });
    world.script.once('preflightSource', () => world.people.rollBackAlone(['web']), { matches: of('web') });
    await world.start();
    await world.ended();
    await world.start();
    expect((await world.ended()).status).toBe('committed');
    expect(world.phases()).toMatchObject({ app: 'committed', web: 'committed' });
    expect(world.script.called('preflightSource', of('app'))).toBe(1);
  });
});

describe('where a group goes on without who fails', () => {
  test('a failure in preparation makes that workload leave, and nobody is asked', async () => {
    world = await World.open({ change: goOn });
    world.script.fail('preflightSource', broken, { matches: of('web') });
    await world.start();
    expect((await world.ended()).status).toBe('incomplete');
    expect(world.phases()).toMatchObject({ app: 'committed', web: 'withdrawn' });
    expect(world.openQuestions()).toEqual([]);
    expect(world.documents('attention')).toMatchObject([
      { status: 'answered', workloadIds: ['web'], answer: { choice: 'rollback', by: 'failure policy', alone: true } },
    ]);
  });

  test('a failure in the cutover gives the source back to its users, and the workload goes on replicating', async () => {
    world = await World.open({ change: goOn });
    world.script.fail('setPower', broken, { matches: of('web') });
    await world.start();
    expect((await world.ended()).status).toBe('incomplete');
    expect(world.phases()).toMatchObject({ app: 'committed', web: 'replicating' });
    servesAsBefore(world, 'web-01', { web: 'running' });
    await leaseKept(world);
  });

  test('of two that fail at the same instant one leaves, and people are asked about the other, who would be the last', async () => {
    await openTwo();
    for (const id of ['s-0', 's-1']) world.script.fail('preflightSource', broken, { matches: of(id) });
    // The first one has been told that it may go, and has not gone when the second one asks.
    world.script.fail('leaveGroup', busy, { times: 2 });
    await world.start();
    await world.question();
    await world.until(() => Object.values(world.phases()).includes('withdrawn'), 'the other one has left');
    const asked = world.openQuestions();
    expect(asked).toHaveLength(1);
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('incomplete');
    const [stayed = ''] = asked[0]?.workloadIds ?? [];
    expect(world.phases()).toEqual({ 's-0': 'withdrawn', 's-1': 'withdrawn', [stayed]: 'committed' });
  });

  test('a clone that does not come up stays behind with its workload, and the others are tested without it', async () => {
    await openTwo();
    world.script.fail('createMachine', broken, { matches: machineOf('test', 's-0') });
    await world.start();
    expect((await world.ended()).status).toBe('incomplete');
    expect(world.phases()).toEqual({ 's-0': 'replicating', 's-1': 'committed' });
    expect(world.state('s-0').held?.reason).toContain('UAT did not pass');
    expect(world.documents('attention')).toMatchObject([
      { status: 'answered', step: 'uat', workloadIds: ['s-0'], failure: broken, answer: { by: 'failure policy' } },
    ]);
    expect(world.azure.names().filter((name) => name.includes('uat'))).toEqual([]);
  });

  test('people are asked where no clone comes up', async () => {
    await openTwo();
    for (const id of ['s-0', 's-1']) world.script.fail('createMachine', broken, { matches: machineOf('test', id) });
    await world.start();
    await world.question();
    expect(world.openQuestions()).toMatchObject([
      {
        step: 'uat',
        failure: { message: `${broken.message} It failed for s-1 as well.`, workloadIds: ['s-0', 's-1'] },
      },
    ]);
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });

  for (const times of [1, 2])
    test.each([
      ['whose target does not launch', 'createMachine', machineOf('cutover', 's-0')],
      ['whose target is not set up', 'applyAction', of('s-0')],
    ])(
      `a workload %s goes back to its users before the others’ traffic moves, everything happening ${times}×`,
      async (_what, activity, matches) => {
        await openTwo(() => {}, times);
        world.script.fail(activity, broken, { matches });
        await world.start();
        expect((await world.ended()).status).toBe('incomplete');
        expect(world.phases()).toEqual({ 's-0': 'replicating', 's-1': 'committed' });
        servesAsBefore(world, 's-0', { web: 'running' });
        expect(world.state('s-0')).toMatchObject({
          left: { by: 'failure policy' },
          steps: { postCutover: { status: 'undone' } },
        });
        expect(world.state('s-1').steps['postCutover']).toMatchObject({ status: 'completed' });
        expect(world.documents('attention')).toMatchObject([
          { status: 'answered', step: 'postCutover', workloadIds: ['s-0'], answer: { alone: true } },
        ]);
      },
    );

  test('who is left after that can still be rolled back together, each as it was', async () => {
    await openTwo();
    delete world.people.atGate.commit;
    world.script.fail('applyAction', broken, { matches: of('s-0') });
    await world.start();
    await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
    expect(world.phases()).toEqual({ 's-0': 'replicating', 's-1': 'validating' });
    await world.people.rollBack();
    expect((await world.ended()).status).toBe('rolledBack');
    for (const id of ['s-0', 's-1']) servesAsBefore(world, id, { web: 'running' });
    expect(times(world, 'delete machine/s-0')).toBe(1);
  });

  test('people are asked about a target that others need, and once traffic has moved', async () => {
    world = await World.open({ change: goOn });
    world.script.fail('createMachine', broken, { matches: machineOf('cutover', 'app') });
    world.script.fail('applyAction', broken, { matches: ({ index }) => index === 2 });
    await world.start();
    await world.question();
    expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', failure: { workloadIds: ['app'] } }]);
    await world.people.answer('retry');
    await world.question();
    expect(world.phases()['web']).toBe('attention');
    expect(world.state('web').remembered).toBe('trafficMoved');
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });

  test('people are asked about who fails once traffic has moved, also where the policy has let another one go before', async () => {
    await openTwo();
    world.script.fail('createMachine', broken, { matches: machineOf('cutover', 's-1') });
    world.script.fail('undoneActions', broken);
    await world.start();
    await world.question();
    expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', workloadIds: ['s-0'] }]);
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('incomplete');
    expect(world.phases()).toEqual({ 's-0': 'committed', 's-1': 'replicating' });
  });

  test('people are asked about a workload that others depend on', async () => {
    world = await World.open({ change: goOn });
    world.script.fail('preflightSource', broken, { matches: of('app') });
    await world.start();
    await world.question();
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });
});

test('who is told to leave when its own cutover has just ended is let go before the targets launch', async () => {
  await openTwo();
  const toldToLeave = async () => {
    await world.people.rollBackAlone(['s-0']);
    await world.told();
  };
  const sourceIsOff = ({ workloadIds, what }: Record<string, unknown>) =>
    isDeepStrictEqual(workloadIds, ['s-0']) &&
    JSON.stringify(what).startsWith('{"type":"landfall.step.completed","data":{"step":"finalDelta"');
  world.script.once('recordStep', toldToLeave, { matches: sourceIsOff });
  await world.start();
  expect((await world.ended()).status).toBe('incomplete');
  expect(world.phases()).toEqual({ 's-0': 'replicating', 's-1': 'committed' });
  expect(world.hosts.machine('s-0').power).toBe('on');
});

test('who is told to leave when nobody can alone any more is told so, and commits with the others', async () => {
  await openTwo();
  const toldToLeave = async () => {
    await world.people.rollBackAlone(['s-0']);
    await world.told();
  };
  world.script.once('captureActions', toldToLeave);
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(world.wave().unheeded).toMatchObject([{ groupId: 'many', action: 'rollback', reason: 'told so' }]);
});

describe('where a failure rolls the group back', () => {
  const rollBack: typeof goOn = (posted) => {
    onlyShop(posted);
    posted.onFailure = 'rollBack';
  };

  test('it does so by itself before traffic moves', async () => {
    world = await World.open({ change: rollBack });
    world.script.fail('setPower', broken, { matches: of('web') });
    await world.start();
    expect((await world.ended()).status).toBe('rolledBack');
    expect(world.phases()).toMatchObject({ app: 'replicating', web: 'replicating' });
    for (const id of ['app-01', 'web-01']) servesAsBefore(world, id, { web: 'running' });
    expect(world.openQuestions()).toEqual([]);
  });

  test('people are asked once traffic has moved, for then it costs data', async () => {
    world = await World.open({ change: rollBack });
    world.script.fail('applyAction', broken, { matches: ({ index }) => index === 2 });
    await world.start();
    await world.question();
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });
});

describe('a failure budget', () => {
  test('pauses the wave once it is spent, and counts anew after a person’s resume', async () => {
    world = await World.open({
      change: (posted) => {
        posted.failureBudget = { workloads: 1 };
      },
    });
    world.script.fail('preflightSource', broken, { matches: of('db') });
    world.script.fail('preflightSource', broken, { matches: of('web') });
    await world.start();
    await world.until(() => world.openQuestions().length === 2);
    await world.told();
    const [pause] = world.documents<{ kind: string; signal: { reason: string; by: string } }>('control');
    expect(pause?.signal).toMatchObject({ action: 'pause', by: 'failure budget' });
    expect(pause?.signal.reason).toMatch(/^2 of 3 workloads failed \(.*\), and the budget is 1$/);
    await world.people.answer('retry');
    await world.people.answer('retry');
    await world.until(() => world.phases()['db'] === 'paused' && world.phases()['web'] === 'paused');
    world.script.fail('requestSync', broken, { matches: of('db') });
    await world.people.resume();
    await world.question();
    expect(world.documents('control')).toHaveLength(2);
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });
});

/** True the first time that it is asked. */
function once(): () => boolean {
  let asked = 0;
  return () => ++asked === 1;
}

describe('a failure budget counts whom a group goes on without', () => {
  const none = (posted: Parameters<typeof goOn>[0]) => {
    posted.failureBudget = { workloads: 0 };
  };
  const paused = () => world.documents<{ kind: string; signal: { action: string; reason: string } }>('control');

  test.each([
    ['because its UAT failed', () => (world.appliances.failsCheck = once())],
    [
      'because its clone did not come up',
      () => world.script.fail('createMachine', broken, { matches: machineOf('test', 's-0') }),
    ],
    [
      'because its target did not launch',
      () => world.script.fail('createMachine', broken, { matches: machineOf('cutover', 's-0') }),
    ],
  ])('%s', async (_why, breakIt) => {
    await openTwo(none);
    breakIt();
    await world.start();
    await world.until(() => paused().length > 0, 'a pause');
    expect(paused()[0]?.signal).toMatchObject({
      action: 'pause',
      reason: expect.stringMatching(/^1 of 2 workloads failed \(s-.\), and the budget is 0$/),
    });
    await world.people.resume();
    expect((await world.ended()).status).toBe('incomplete');
    expect(paused()).toHaveLength(2);
  });
});

describe('who is told to leave', () => {
  test('while another one goes is let go as well before anybody is asked about the rest', async () => {
    const { sources, change } = manyWorkloads(4);
    world = await World.open({ sources, change });
    delete world.people.atGate.cutover;
    await world.start();
    const gates = () => world.openGates().filter(({ name }) => name === 'cutover');
    await world.until(() => gates().length > 0, 'the cutover gate');
    const [asked] = gates();
    const another = async () => {
      await world.people.rollBackAlone(['s-3']);
      await world.told();
    };
    world.script.once('leaveGroup', another, { matches: of('s-0') });
    await world.people.rollBackAlone(['s-0']);
    await world.until(() => gates().some(({ id }) => id !== asked?.id), 'another cutover gate');
    expect(gates()).toMatchObject([{ workloadIds: ['s-1', 's-2'] }]);
    world.people.atGate.cutover = 'approve';
    for (const gate of gates()) await world.people.decide(gate);
    expect((await world.ended()).status).toBe('incomplete');
    expect(world.phases()).toMatchObject({ 's-0': 'replicating', 's-1': 'committed', 's-3': 'replicating' });
  });

  test('and is held meanwhile walks back where the order leads', async () => {
    world = await World.open({
      change: (posted) => {
        goOn(posted);
        posted.gates = { uat: { partial: true } };
        for (const { workloads } of posted.groups) for (const workload of workloads) workload.dependsOn = [];
      },
    });
    delete world.people.atGate.uat;
    await world.start();
    await world.until(() => world.openGates().length > 0, 'the sign-off');
    const [asked] = world.openGates();
    if (asked === undefined) throw new Error('no gate');
    await world.people.rollBackAlone(['app'], 'withdrawn');
    await world.people.approve(asked, ['web']);
    await world.people.reject(asked, ['app']);
    expect((await world.ended()).status).toBe('incomplete');
    expect(world.phases()).toEqual({ app: 'withdrawn', web: 'committed' });
  });
});
