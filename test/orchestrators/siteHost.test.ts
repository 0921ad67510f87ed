// Step 3 at a site with a host that can be asked: what it allows, what the worker must reach, a canary frozen at its host.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { environment, manyWorkloads } from './world/definitions.ts';
import { broken, nothingLeft } from './world/expectations.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
const { sources, change } = manyWorkloads(1);
const machine = { kind: 'qemu' as const, connection: 'cellar', machine: 's-0' };
const inVcenter = { connection: 'vc', library: 'landfall', item: 'worker', resourcePool: 'resgroup-8', networks: {} };
const sites = environment.sites.map(({ id }) => ({ id, host: { kind: 'vsphere' as const, ...inVcenter } }));

beforeEach(async () => {
  world = await World.open({ sources: sources.map((source) => ({ ...source, host: machine })), change, sites });
});
afterEach(async () => {
  await expectSound(world);
  await world.close();
});
const canaries = () => world.changes.filter((change) => change.includes('landfall-canary'));

test('a worker is told what it must get through to, and a canary is frozen and let go, as evidence shows', async () => {
  await world.start();
  expect(await world.ended()).toMatchObject({ status: 'committed' });
  const asked = world.bus.sent.flatMap(({ command }) =>
    command.type === 'landfall.worker.verify' ? command.data.reach : [],
  );
  expect(asked).toEqual([{ host: 'esx1.cellar.example', port: 902 }]);
  expect(canaries()).toEqual([
    's-0 frozen as landfall-canary-cellar',
    's-0 no longer frozen as landfall-canary-cellar',
  ]);
  const { evidence, checked } = world.wave().steps?.['sourceWorker'] ?? {};
  expect(evidence).toMatchObject({ connectivity: [{ name: 's-0 canary', passed: true }, { passed: true }] });
  expect(checked).toMatchObject({ before: { checks: [{ name: 'privileges', passed: true }] } });
});

test('what the site’s host does not allow stops before anything is changed', async () => {
  world.hosts.allowed = [
    { name: 'privileges on vm-7', passed: false, detail: 'without VirtualMachine.State.CreateSnapshot' },
  ];
  await world.start();
  await world.question();
  const [question] = world.openQuestions();
  expect(question).toMatchObject({ step: 'sourceWorker', during: 'precheck', failure: { code: 'forbidden' } });
  expect(question?.failure.message).toMatch(
    /vm-7: without VirtualMachine.State.CreateSnapshot.*Nothing has been changed/,
  );
  expect([...world.hosts.workers]).toEqual([]);
  world.hosts.allowed = [];
  await world.people.answer('retry');
  expect(await world.ended()).toMatchObject({ status: 'committed' });
});

test('a canary that could not be let go goes with the worker', async () => {
  world.script.fail('freezeCanary', broken);
  await world.start();
  await world.question();
  const { source, snapshots } = world.hosts.machine('s-0');
  await world.hosts.of(source)!.snapshots!.take(source, 'landfall-canary-cellar');
  await world.people.answer('rollback');
  await world.ended();
  expect([...snapshots]).toEqual([]);
  await nothingLeft(world);
});
