// Sources that name a way over SSH: the target appliance puts the agent there and takes it away, and says what became of it.
import { afterEach, expect, test } from 'vitest';
import { createSshKeyring } from '../../shared/ssh/credentials.ts';
import { onlyDb, sources } from './world/definitions.ts';
import { nothingLeft, servesAsBefore } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const key = `ssh-ed25519 ${'A'.repeat(68)}`;
const agent = { ssh: { port: 22, hostKeys: [key], credential: 'ops' } };
const open = (): Promise<World> =>
  World.open({ change: onlyDb, sources: sources.map((source) => ({ ...source, agent })) });
const pushed = () =>
  world.bus.sent.flatMap(({ command }) => (command.type.startsWith('landfall.agent.') ? [command] : []));

test('the target appliance is asked, with the machine and what root may run there, and with no secret', async () => {
  world = await open();
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'committed' });
  expect(pushed()).toMatchObject([
    {
      ...{
        type: 'landfall.agent.install',
        aud: 'target-west',
        operationId: expect.stringContaining(':installAgent:db:'),
      },
      data: { agentId: 'agent-db-01', ssh: { host: 'db-01.cellar.example', port: 22, hostKeys: [key] } },
    },
  ]);
  const data = pushed()[0]?.data as { ssh: object; commands: string[][] };
  expect(data.commands).toContainEqual(['stop']);
  expect(Object.keys(data.ssh).sort()).toEqual(['host', 'hostKeys', 'port']);
  expect(world.state('db').steps['osAgent']).toMatchObject({ evidence: { applianceId: 'agent-db-01' } });
});

test('why it could not be put there is what people read; a retry asks once more, under another operation', async () => {
  world = await open();
  world.appliances.refusesPush = () => 'sshHostKeyDiffers';
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]).toMatchObject({
    step: 'osAgent',
    failure: {
      code: 'applianceFailed',
      message: 'db-01.cellar.example: sshHostKeyDiffers',
      detail: 'sshHostKeyDiffers',
    },
  });
  world.appliances.refusesPush = () => undefined;
  await world.people.answer('retry');
  expect(await world.ended()).toMatchObject({ status: 'committed' });
  expect(new Set(pushed().map(({ operationId }) => operationId)).size).toBe(2);
});

test('a wave that is withdrawn takes the agent away again, by the same way', async () => {
  world = await open();
  world.script.once('recordStep', () => world.people.rollBack('withdrawn'), {
    matches: ({ what }) =>
      (what as { type: string; data: { step?: string } }).type === 'landfall.step.completed' &&
      (what as { data: { step?: string } }).data.step === 'initialSync',
  });
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'rolledBack' });
  expect(pushed().map(({ type }) => type)).toEqual(['landfall.agent.install', 'landfall.agent.remove']);
  servesAsBefore(world, 'db-01', { engine: 'running', reports: 'running' });
  await nothingLeft(world);
});

test('an agent that is not gone is a failed undo, with what is left; nobody calls it done before it is', async () => {
  world = await open();
  world.appliances.refusesPush = ({ type }) => (type === 'landfall.agent.remove' ? 'agentStillThere' : undefined);
  world.script.once('recordStep', () => world.people.rollBack('withdrawn'), {
    matches: ({ what }) =>
      (what as { type: string; data: { step?: string } }).type === 'landfall.step.completed' &&
      (what as { data: { step?: string } }).data.step === 'initialSync',
  });
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]).toMatchObject({ step: 'osAgent', failure: { detail: 'agentStillThere' } });
  expect(world.hosts.machine('db-01').agent).toBeDefined();
  world.appliances.refusesPush = () => undefined;
  await world.people.answer('retry');
  expect(await world.ended()).toMatchObject({ status: 'rolledBack' });
  await nothingLeft(world);
});

test('a credential that the settings do not have stops the step before an agent is registered', async () => {
  world = await open();
  world.capabilities.ssh = createSshKeyring({});
  await world.start();
  await world.question();
  expect(world.openQuestions()[0]).toMatchObject({ step: 'osAgent', failure: { code: 'invalidInput' } });
  expect(await world.capabilities.store.appliances.get('agent-db-01')).toBeUndefined();
  expect(pushed()).toEqual([]);
  const hosts = ['*.cellar.example'];
  world.capabilities.ssh = createSshKeyring({ ops: { user: 'root', keySetting: 'OPS', hosts } }, () => 'key');
  await world.people.answer('retry');
  expect(await world.ended()).toMatchObject({ status: 'committed' });
});
