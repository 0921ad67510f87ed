// Every action against the local Azure: what it found, done twice and undone twice, is in the resources as it was before.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Place, Reach } from '../../../shared/actions/action.ts';
import { actionOf, CutoverAction, needsOf } from '../../../shared/actions/all.ts';
import { failureOf, ids, ownership, startTarget, type TargetWorld } from '../azure/target.ts';

const records = { kind: 'dns', name: 'traffic', record: 'app', type: 'A', value: ['{target.ip}', '192.0.2.9'] };
const written: Record<string, CutoverAction> = Object.fromEntries(
  Object.entries({
    'a public record': { ...records, zoneId: ids.zone },
    'a private record': { ...records, zoneId: ids.privateZone },
    'a record that is not there yet': { ...records, zoneId: ids.privateZone, record: 'new' },
    'a backend pool': { kind: 'loadBalancer', name: 'balance', backendPoolId: ids.pool },
    'a data collection rule': { kind: 'monitoring', name: 'watch', dataCollectionRuleId: ids.rule },
    'a backend pool and the source’s address in another one': {
      ...{ kind: 'loadBalancer', name: 'exchange', backendPoolId: ids.pool },
      takeOut: { backendPoolId: ids.oldPool, address: '10.0.1.102' },
    },
  }).map(([what, action]) => [what, CutoverAction.parse(action)]),
);

const notHere: Reach['webhooks'] = { check: () => Promise.reject(), deliver: () => Promise.reject() };
let world: TargetWorld;
let reach: Reach;
let place: Place;
beforeAll(async () => {
  world = await startTarget();
  await world.authorize(needsOf(Object.values(written)));
  await world.complete(await world.azure.compute.beginAppliance(world.environment, 'mover', '{}', ownership));
  reach = { azure: world.azure, webhooks: notHere };
  place = {
    ...{ waveId: 'wave-1', workloadId: 'db-01', environment: world.environment, machine: 'mover' },
    ttl: { lower: true, during: 60, ahead: 'PT1H' },
    operationId: 'act-w1.db:applyAction:1',
  };
  for (const zone of [ids.zone, ids.privateZone])
    await world.azure.dns.set(zone, 'app', 'A', { ttlSeconds: 300, values: ['192.0.2.10', '192.0.2.11'] });
});
afterAll(() => world.stop());

/** What actions may change, whole, but for what changes with every write. */
async function resources(): Promise<unknown[]> {
  const { subscriptionId, resourceGroup } = world.environment;
  const { dns, privateDns, network, compute } = { ...world.clients() };
  const found: unknown[] = [];
  for await (const one of dns(subscriptionId).recordSets.listByDnsZone(resourceGroup, 'example.test')) found.push(one);
  for await (const one of privateDns(subscriptionId).recordSets.list(resourceGroup, 'corp.test')) found.push(one);
  for await (const one of network(subscriptionId).networkInterfaces.list(resourceGroup)) found.push(one);
  for await (const one of network(subscriptionId).loadBalancers.list(resourceGroup)) found.push(one);
  for await (const one of compute(subscriptionId).virtualMachines.list(resourceGroup))
    found.push(one, await associationsOf(one.id ?? ''));
  return JSON.parse(JSON.stringify(found, (key, value: unknown) => (key === 'etag' ? undefined : value))) as unknown[];
}

/** With which data collection rules a machine is associated; the SDKs that are here cannot list that. */
async function associationsOf(machineId: string): Promise<unknown> {
  const { endpoint, credential } = world.clients();
  const path = `${machineId}/providers/Microsoft.Insights/dataCollectionRuleAssociations?api-version=2022-06-01`;
  const { token } = (await credential.getToken('https://management.azure.com/.default')) ?? {};
  const answer = await fetch(new URL(path, endpoint), { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  return answer.json();
}

describe.each(Object.keys(written))('%s', (what) => {
  const asked = written[what]!;
  const action = actionOf(asked);

  it('is changed, stands, and is as before when it was undone, each done twice', async () => {
    const before = await resources();
    await action.precheck(reach, place, asked);
    const captured = await action.capture(reach, place, asked);
    expect(await resources()).toEqual(before);
    await action.run(reach, place, asked);
    const changed = await resources();
    expect(changed).not.toEqual(before);
    await action.run(reach, place, asked);
    expect(await resources()).toEqual(changed);
    const { is, wanted } = await action.look(reach, place, asked);
    expect(is).toBe(wanted);
    await action.undo(reach, place, asked, captured?.before);
    expect(await resources()).toEqual(before);
    await action.undo(reach, place, asked, captured?.before);
    expect(await resources()).toEqual(before);
    expect((await action.look(reach, place, asked)).is).not.toBe(wanted);
  });
});

describe('before it is done', () => {
  const found = (action: unknown) => {
    const asked = CutoverAction.parse(action);
    return failureOf(actionOf(asked).precheck(reach, place, asked));
  };

  it('a zone that is not there is found, and a name that is an alias', async () => {
    expect(await found({ ...records, zoneId: ids.zone.replace('example', 'elsewhere') })).toMatchObject({
      code: 'notFound',
    });
    await world.azure.dns.set(ids.privateZone, 'www', 'CNAME', { ttlSeconds: 60, values: ['app.corp.test'] });
    expect(await found({ ...records, zoneId: ids.privateZone, record: 'www' })).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is a record of type CNAME'),
    });
    await world.azure.dns.remove(ids.privateZone, 'www', 'CNAME');
  });

  it('a backend pool that is not there is found, one that holds addresses, and an address that is in none', async () => {
    const balance = { kind: 'loadBalancer', name: 'balance', backendPoolId: ids.pool };
    expect(await found({ ...balance, backendPoolId: `${ids.pool}-other` })).toMatchObject({ code: 'notFound' });
    expect(await found({ ...balance, backendPoolId: ids.oldPool })).toMatchObject({
      code: 'invalidInput',
      message: expect.stringContaining('knows its members by address'),
    });
    const takeOut = { backendPoolId: ids.oldPool, address: '10.0.1.9' };
    const asked = CutoverAction.parse({ ...balance, takeOut });
    const notYet = { ...place, machine: 'not-launched-yet' };
    expect(await failureOf(actionOf(asked).precheck(reach, notYet, asked))).toMatchObject({
      code: 'notFound',
      message: expect.stringContaining('has no address 10.0.1.9 that could be taken out'),
    });
    // Once the target is there, an earlier try may have taken it out.
    await actionOf(asked).precheck(reach, place, asked);
  });

  it('a data collection rule that is not there is found', async () => {
    const dataCollectionRuleId = `${ids.rule}-other`;
    expect(await found({ kind: 'monitoring', name: 'watch', dataCollectionRuleId })).toMatchObject({
      code: 'notFound',
      message: expect.stringContaining(dataCollectionRuleId),
    });
  });

  it('a security group that is not there is found', async () => {
    const networkSecurityGroupId = `${ids.securityGroup}-other`;
    expect(await found({ kind: 'networkSecurityGroup', name: 'open', networkSecurityGroupId })).toMatchObject({
      code: 'notFound',
    });
  });
});
