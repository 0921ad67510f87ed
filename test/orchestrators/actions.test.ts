// The reversible actions of step 11 in the modelled world: looked at before, done in order, put back in reverse.
import { afterEach, expect, test } from 'vitest';
import { terminal } from '../../shared/errors.ts';
import { environment, onlyDb, onlyShop } from './world/definitions.ts';
import { expectSound } from './world/invariants.ts';
import { World } from './world/world.ts';

let world: World;
afterEach(async () => {
  await expectSound(world);
  await world.close();
});

const openGroup = `${environment.settings?.placement?.quarantineNetworkSecurityGroupId ?? ''}`;
const missing = terminal('notFound', 'There is no group "open".', 'Make it.');

test('what stands against an action is found while the source serves, and no service is stopped', async () => {
  world = await World.open({ change: onlyDb });
  const { network } = world.azure;
  const { securityRules } = network;
  let isThere = false;
  network.securityRules = async (id) => {
    if (id.endsWith('/open') && !isThere) throw missing;
    return securityRules(id);
  };
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'stopServices', during: 'precheck' }]);
  expect(world.openQuestions()[0]?.failure.message).toBe('There is no group "open". Nothing has been changed.');
  expect(world.script.called('commandSource', ({ command }) => command === 'stop')).toBe(0);
  isThere = true;
  await world.people.answer('retry');
  expect((await world.ended()).status).toBe('committed');
});

test('an action that cannot be done any more once the source is off is left out', async () => {
  world = await World.open({ change: onlyDb });
  const { network } = world.azure;
  const { securityRules } = network;
  world.script.once('captureActions', () => {
    network.securityRules = async (id) => {
      if (id.endsWith('/open')) throw missing;
      return securityRules(id);
    };
  });
  await world.start();
  await world.question();
  expect(world.openQuestions()).toMatchObject([{ step: 'postCutover', during: 'precheck' }]);
  await world.people.answer('retry', { changed: { leaveOut: ['open'] } });
  expect((await world.ended()).status).toBe('committed');
  expect(world.script.called('applyAction', ({ index }) => index === 0)).toBe(0);
});

test('the way back puts records back tier by tier in reverse, before any target goes', async () => {
  world = await World.open({ change: onlyShop });
  world.azure.records.set('A app-01', { ttlSeconds: 300, values: ['192.0.2.1'] });
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
  const from = world.changes.length;
  await world.people.rollBack();
  await world.ended();
  const back = world.changes
    .slice(from)
    .filter((what) => / is (absent|[\d.]+)$/.test(what) || what.startsWith('delete machine/'));
  expect(back.slice(0, 2)).toEqual(['web-01 is 10.9.9.9', 'app-01 is 192.0.2.1']);
  expect(back.filter((what) => what.startsWith('delete'))).toHaveLength(2);
  expect(world.azure.records.get('A app-01')).toEqual({ ttlSeconds: 300, values: ['192.0.2.1'] });
});

test('who is exchanged behind a load balancer moves with the traffic, and is the first to be put back', async () => {
  const pool = (name: string) =>
    `${openGroup.replace(/networkSecurityGroups.*/, '')}loadBalancers/lb/backendAddressPools/${name}`;
  const [inner, edge] = [pool('inner'), pool('edge')];
  world = await World.open({
    change: (posted) => {
      onlyDb(posted);
      const actions = posted.groups[0]?.workloads[0]?.settings?.cutover?.actions;
      const takeOut = { backendPoolId: edge, address: '10.9.9.9' };
      actions?.unshift({ kind: 'loadBalancer', name: 'exchange', backendPoolId: inner, takeOut });
    },
  });
  const held = [
    { name: 'other', address: '10.9.9.8' },
    { name: 'db', address: '10.9.9.9' },
  ];
  world.azure.pools.hold(new Map([[edge, held]]));
  delete world.people.atGate.commit;
  await world.start();
  await world.until(() => world.openGates().some(({ name }) => name === 'commit'), 'the commit gate');
  const told = world.changes.filter((what) => /^(inner|edge|db-01 (is|behind)) /.test(what));
  expect(told).toEqual([
    'db-01 behind open',
    'inner with db-01',
    'edge without 10.9.9.9',
    expect.stringMatching(/^db-01 is 10\./),
  ]);
  expect(world.state('db').steps['postCutover']?.evidence).toMatchObject({
    actions: expect.arrayContaining([
      expect.objectContaining({
        action: 'exchange',
        before: 'target out, 10.9.9.9 in',
        after: 'target in, 10.9.9.9 out',
      }),
    ]),
  });
  await world.people.rollBack();
  await world.ended();
  expect(world.azure.pools.addresses.get(edge)).toEqual(held);
});

test('the cutover identity may do for actions what the plan of the wave needs, and nothing of what it does not', async () => {
  world = await World.open({ change: onlyDb });
  const asked: (readonly string[])[] = [];
  const { gaps } = world.azure.authorization;
  world.azure.authorization.gaps = (environment, besides) => {
    asked.push(besides);
    return gaps(environment, besides);
  };
  await world.start();
  await world.ended();
  expect(asked[0]).toContain('Microsoft.Network/privateDnsZones/A/write');
  expect(asked[0]?.filter((permission) => !permission.startsWith('Microsoft.Network/privateDnsZones/'))).toEqual([]);
});
