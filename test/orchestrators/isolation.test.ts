// Step 8: clones boot only where rules keep them apart, and are tested only once probes have found no way around those.
import { afterEach, describe, expect, test } from 'vitest';
import { checkPlan } from '../../orchestrators/checks/activities.ts';
import { terminal } from '../../shared/errors.ts';
import type { IsolationProof } from '../../shared/lifecycle/events.ts';
import type { Settings } from '../../shared/model/settings.ts';
import { environment, onlyDb, onlyShop } from './world/definitions.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const name = 'db-01.cellar.example';
type Uat = NonNullable<Settings['uat']>;

/** Only `db`, with more in its test plan. */
const testing = (uat: Uat): Promise<World> =>
  World.open({
    change: (posted) => {
      onlyDb(posted);
      for (const workload of posted.groups[0]?.workloads ?? [])
        workload.settings = { ...workload.settings, uat: { ...workload.settings?.uat, ...uat } };
    },
  });

/** As soon as the clone has booted. */
const onceBooted = (does: () => unknown) =>
  world.script.once('recordLaunch', does, { matches: ({ purpose }) => purpose === 'test' });

async function proofs(workloadId = 'db'): Promise<IsolationProof[]> {
  const log = await world.capabilities.store.workloads.events('w1', workloadId);
  return log.flatMap(({ event }) => (event.type === 'landfall.isolation.judged' ? [event.data] : []));
}

const verdicts = ({ probes }: IsolationProof): Record<string, string> =>
  Object.fromEntries(probes.map(({ name, verdict }) => [name, verdict]));

/** The proof failed: people are asked, no test has run, and no clone is left. */
async function expectGone(why: string): Promise<void> {
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'uat', failure: { code: 'isolationBroken' } }]);
  expect(world.openQuestions()[0]?.failure.message).toContain(why);
  expect(world.azure.names().filter((key) => /uat|securityGroup/.test(key))).toEqual([]);
  expect((await proofs()).at(-1)).toMatchObject({ isolated: false });
}

test.each([
  ['lets its clones out', 'Outbound' as const],
  ['lets others in to its clones', 'Inbound' as const],
])('no clone boots in a network that %s', async (_what, direction) => {
  world = await World.open({ change: onlyDb });
  const rules = world.azure.testRules;
  const everywhere = { name: 'hole', priority: 50, access: 'Allow' as const, source: '*', destination: '*' };
  world.azure.testRules = [
    ...rules.flatMap((rule) => (rule.direction === direction ? { ...rule, ...everywhere } : [])),
    ...rules,
  ];
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]).toMatchObject({ during: 'precheck', failure: { code: 'isolationBroken' } });
  expect(world.script.called('createMachine')).toBe(0);
  expect(await proofs()).toMatchObject([{ when: 'beforeBoot', isolated: false }]);
  world.azure.testRules = rules;
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('whom the plan lets test may reach the clones of the group, and nobody else', async () => {
  const testers = [{ name: 'bastion', from: '10.0.3.0/26' }];
  world = await World.open({
    change: (posted) => {
      onlyShop(posted);
      const app = posted.groups[0]?.workloads.find(({ id }) => id === 'app');
      if (app !== undefined) app.settings = { ...app.settings, uat: { ...app.settings?.uat, testers } };
    },
  });
  const admits = { name: 'bastion', priority: 100, access: 'Allow' as const, source: '10.0.3.0/26' };
  const inbound = world.azure.testRules.filter(({ direction }) => direction === 'Inbound');
  world.azure.testRules = [...world.azure.testRules, ...inbound.map((rule) => ({ ...rule, ...admits }))];
  let rules: unknown;
  onceBooted(async () => {
    const id = await world.capabilities.azure.network.machineSecurityGroup(environment, 'web-01-uat');
    rules = await world.capabilities.azure.network.securityRules(id ?? '');
  });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(rules).toContainEqual(
    expect.objectContaining({ direction: 'Inbound', access: 'Allow', source: '10.0.3.0/26' }),
  );
  expect(JSON.stringify(await proofs('web'))).toContain('reached by bastion (10.0.3.0/26)');
});

test('what was proven is in the journal: rules before the boot, rules and probes after it, names once more after the tests', async () => {
  world = await testing({ mustNotReach: [{ name: 'the domain', host: '10.0.0.10', port: 389 }], names: ['ledger'] });
  world.azure.leads.set(name, ['10.0.0.4']).set('10.0.0.4', [name]);
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  const [before, booted, tested] = await proofs();
  expect(before).toMatchObject({ when: 'beforeBoot', isolated: true, probes: [] });
  expect(booted).toMatchObject({ when: 'booted', isolated: true, reasons: [] });
  expect(booted?.rules).toHaveLength(2);
  const names = {
    'record db-01.corp.example A': 'held',
    [`name ${name}`]: 'held',
    'name ledger': 'held',
    'name db-01.corp.example': 'held',
    'reverse 10.0.0.4': 'held',
  };
  expect(verdicts(booted as IsolationProof)).toEqual({
    ...names,
    'clone to the domain': 'held',
    'clone port 22': 'held',
    'clone port 443': 'held',
  });
  expect(verdicts(tested as IsolationProof)).toEqual(names);
  expect(world.state('db').isolation?.proof).toMatchObject({ when: 'tested', isolated: true });
});

describe('a proof that fails once clones have booted destroys them before any test, and asks', () => {
  test('when rules were changed meanwhile', async () => {
    world = await World.open({ change: onlyDb });
    const rules = world.azure.testRules;
    onceBooted(() => {
      world.azure.testRules = [];
    });
    await world.start();
    await expectGone('no inbound rule denies everything');
    expect(world.script.called('checkPlan')).toBe(0);
    world.azure.testRules = rules;
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });

  test.each([
    ['the appliance reaches a clone', 'Inbound' as const, 'clone port 22'],
    ['a clone reaches what it must not', 'Outbound' as const, 'clone to the domain'],
  ])('when %s although every rule forbids it', async (_what, direction, probe) => {
    world = await testing({ mustNotReach: [{ name: 'the domain', host: '10.0.0.10', port: 389 }] });
    onceBooted(() => world.azure.leaks.add(direction));
    await world.start();
    await expectGone(probe);
    expect(world.script.called('checkPlan')).toBe(0);
    world.azure.leaks.clear();
    await world.people.answer('rollback');
    expect((await world.ended()).status).toBe('rolledBack');
  });

  test('when a clone has registered a production name', async () => {
    world = await World.open({ change: onlyDb });
    world.azure.leads.set(name, ['10.0.0.4']);
    onceBooted(() => world.azure.leads.set(name, ['10.0.1.10']));
    await world.start();
    await expectGone(`name ${name}: it led to 10.0.0.4 before the clones booted, and leads to 10.0.1.10 now`);
    // The clone is gone, the name still leads there: the baseline is not made anew.
    await world.people.answer('retry');
    await world.question();
    world.azure.leads.set(name, ['10.0.0.4']);
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });

  test('when it has registered one only after a while, or changed a record of the cutover', async () => {
    world = await World.open({ change: onlyDb });
    world.script.once('checkThroughAzure', () =>
      world.azure.records.set('A db-01', { ttlSeconds: 300, values: ['10.0.1.10'] }),
    );
    await world.start();
    await expectGone('record db-01.corp.example A: it led to 10.9.9.9');
    world.azure.records.set('A db-01', { ttlSeconds: 300, values: ['10.9.9.9'] });
    await world.people.answer('rollback');
    expect((await world.ended()).status).toBe('rolledBack');
  });

  test('when nobody can say what the rules are', async () => {
    world = await World.open({ change: onlyDb });
    const { machineSecurityGroup } = world.azure.network;
    world.azure.network.machineSecurityGroup = async () => {
      world.azure.network.machineSecurityGroup = machineSecurityGroup;
      throw terminal('azureRejected', 'Azure said no.', 'Ask again.');
    };
    await world.start();
    await world.question();
    expect(world.azure.names().filter((key) => key.includes('uat'))).toEqual([]);
    await world.people.answer('retry');
    expect((await world.ended()).status).toBe('committed');
  });
});

describe('a probe that cannot be run', () => {
  const ignoresProbes = () => {
    world.appliances.ignores = ({ type }) => type === 'landfall.probe.run';
  };

  test('is on record, and the wave goes on where the plan says so', async () => {
    const mustNotReach = [{ name: 'the domain', host: '10.0.0.10', port: 389 }];
    world = await testing({ mustNotReach, answerWithin: 'PT2M' });
    ignoresProbes();
    world.azure.compute.reachFrom = async () => {
      throw terminal('checkFailed', 'The machine has no agent.', 'Install it.');
    };
    await world.start();
    expect((await world.ended()).status).toBe('committed');
    const booted = (await proofs()).find(({ when }) => when === 'booted');
    expect(booted).toMatchObject({ isolated: true, reasons: [] });
    expect(verdicts(booted as IsolationProof)).toMatchObject({
      'clone to the domain': 'notRun',
      'clone port 22': 'notRun',
      'record db-01.corp.example A': 'held',
    });
    expect(JSON.stringify(booted)).toContain('did not answer within PT2M');
    expect(JSON.stringify(world.state('db').steps['uat']?.evidence)).toContain('probes: 1 held, 6 not run');
  });

  test('stands against the proof before anything boots where the plan requires it, and an approver may skip UAT', async () => {
    world = await testing({ probes: 'required' });
    ignoresProbes();
    await world.start();
    await world.question();
    expect(world.openQuestions()).toMatchObject([{ during: 'capture', failure: { code: 'isolationBroken' } }]);
    expect(world.script.called('importDisk')).toBe(0);
    await world.people.answer('skip');
    expect((await world.ended()).status).toBe('committed');
    expect(world.state('db').steps['uat']).toMatchObject({ status: 'skipped' });
  });

  test('destroys the clones where it is required and can be run no more, until an approver leaves it out', async () => {
    world = await testing({ probes: 'required', mustNotReach: [{ name: 'the domain', host: '10.0.0.10', port: 389 }] });
    world.azure.compute.reachFrom = async () => {
      throw terminal('checkFailed', 'The machine has no agent.', 'Install it.');
    };
    await world.start();
    await expectGone('clone to the domain could not be probed: The machine has no agent.');
    await world.people.answer('retry', { changed: { leaveOut: ['clone to the domain'] } });
    expect((await world.ended()).status).toBe('committed');
    const booted = (await proofs()).filter(({ when }) => when === 'booted').at(-1);
    expect(verdicts(booted as IsolationProof)).toMatchObject({ 'clone to the domain': 'leftOut' });
  });

  test('from where somebody may test proves nothing, and is not run', async () => {
    const testers = [{ name: 'appliance', from: '10.0.9.4/32' }];
    world = await testing({ testers });
    await world.start();
    expect((await world.ended()).status).toBe('committed');
    const booted = (await proofs()).find(({ when }) => when === 'booted');
    expect(Object.keys(verdicts(booted as IsolationProof)).filter((each) => each.includes('port'))).toEqual([]);
    expect(booted?.rules.at(-1)).toBe('the appliance at 10.0.9.4 may reach the clone: nothing is probed from there');
  });
});

test('no test of a clone starts on the word of a caller: the proof must be on record', async () => {
  world = await World.open({ change: onlyDb });
  const input = { waveId: 'w1', workloadId: 'db', purpose: 'test' };
  const ask = () =>
    checkPlan.handle(world.capabilities, { operationId: 'check:plan', attempt: 1, waveId: 'w1', input });
  expect(await ask()).toMatchObject({ failure: { code: 'isolationBroken' } });
  let beforeBoot: unknown;
  world.script.once('proveTestIsolation', () => {
    world.script.once('recordIsolation', async () => {
      beforeBoot = await ask();
    });
  });
  await world.start();
  expect((await world.ended()).status).toBe('committed');
  expect(beforeBoot).toMatchObject({ failure: { code: 'isolationBroken' } });
  expect(await ask()).toMatchObject({ value: {} });
});
