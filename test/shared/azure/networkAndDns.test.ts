import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proveIsolation } from '../../../shared/policy/isolation.ts';
import { failureOf, ids, movesRecords, ownership, startTarget, type TargetWorld } from './target.ts';

let world: TargetWorld;
beforeAll(async () => {
  world = await startTarget();
  await world.authorize(movesRecords);
});
afterAll(() => world.stop());

describe('a subnet', () => {
  it('is described with its network, its security group and whom it is peered with', async () => {
    expect(await world.azure.network.describeSubnet(ids.subnet)).toEqual({
      id: ids.subnet,
      addressPrefix: '10.0.1.0/24',
      virtualNetworkId: ids.virtualNetwork,
      peerings: [],
      networkSecurityGroupId: ids.securityGroup,
    });
  });
});

describe('a deny-all security group', () => {
  it('lets nothing pass in either direction, before Azure’s own rules, and may be ensured twice', async () => {
    const { network } = world.azure;
    const id = await network.ensureDenyAll(world.environment, 'isolation', ownership);
    expect(await network.ensureDenyAll(world.environment, 'isolation', ownership)).toBe(id);
    const rules = await network.securityRules(id);
    for (const direction of ['Inbound', 'Outbound'] as const) {
      const first = rules.filter((rule) => rule.direction === direction).sort((a, b) => a.priority - b.priority)[0];
      expect(first).toMatchObject({
        access: 'Deny',
        protocol: '*',
        source: '*',
        destination: '*',
        destinationPorts: ['*'],
      });
    }
    await network.removeSecurityGroup(world.environment, 'isolation');
    await network.removeSecurityGroup(world.environment, 'isolation');
    expect(await failureOf(network.securityRules(id))).toMatchObject({ code: 'notFound' });
  });
});

describe('a security group that admits testers', () => {
  it('lets them in before it denies everybody else, until it is ensured without them', async () => {
    const { network } = world.azure;
    const admitted = [{ name: 'bastion', from: '10.0.9.0/26' }];
    const id = await network.ensureDenyAll(world.environment, 'testers', ownership, admitted);
    const subnet = { addressPrefix: '10.0.1.0/24', peerings: [], networkSecurityGroupId: id };
    expect(proveIsolation(subnet, await network.securityRules(id), admitted)).toMatchObject({ isolated: true });
    expect(proveIsolation(subnet, await network.securityRules(id)).reasons).toEqual([
      'inbound rule "landfallTester0" allows 10.0.9.0/26 before everything is denied',
    ]);
    await network.ensureDenyAll(world.environment, 'testers', ownership);
    expect(proveIsolation(subnet, await network.securityRules(id))).toMatchObject({ isolated: true });
    await network.removeSecurityGroup(world.environment, 'testers');
  });
});

describe('a machine’s security group', () => {
  it('is exchanged and put back, and its address stays', async () => {
    const { environment } = world;
    const { compute, network } = world.azure;
    await world.complete(await compute.beginAppliance(environment, 'mover', '{}', ownership));
    const address = await compute.privateAddress(environment, 'mover');
    expect(await network.machineSecurityGroup(environment, 'mover')).toBeUndefined();
    await network.setMachineSecurityGroup(environment, 'mover', ids.securityGroup);
    await network.setMachineSecurityGroup(environment, 'mover', ids.securityGroup);
    expect(await network.machineSecurityGroup(environment, 'mover')).toBe(ids.securityGroup);
    await network.setMachineSecurityGroup(environment, 'mover', undefined);
    expect(await network.machineSecurityGroup(environment, 'mover')).toBeUndefined();
    expect(await compute.privateAddress(environment, 'mover')).toBe(address);
  });
});

describe.each(['zone', 'privateZone'] as const)('DNS records of a %s', (kind) => {
  const zone = ids[kind];
  it('are absent, set, changed back and removed, each as often as one likes', async () => {
    const { dns } = world.azure;
    expect(await dns.get(zone, 'app', 'A')).toBeUndefined();
    const before = { ttlSeconds: 300, values: ['192.0.2.10', '192.0.2.11'] };
    await dns.set(zone, 'app', 'A', before);
    expect(await dns.get(zone, 'app', 'A')).toEqual(before);
    await dns.set(zone, 'app', 'A', { ttlSeconds: 60, values: ['10.0.1.20'] });
    await dns.set(zone, 'app', 'A', { ttlSeconds: 60, values: ['10.0.1.20'] });
    expect(await dns.get(zone, 'app', 'A')).toEqual({ ttlSeconds: 60, values: ['10.0.1.20'] });
    await dns.remove(zone, 'app', 'A');
    await dns.remove(zone, 'app', 'A');
    expect(await dns.get(zone, 'app', 'A')).toBeUndefined();
  });

  it('of type AAAA hold addresses of version 6', async () => {
    const { dns } = world.azure;
    const six = { ttlSeconds: 60, values: ['2001:db8::1', '2001:db8::2'] };
    await dns.set(zone, 'six', 'AAAA', six);
    expect(await dns.get(zone, 'six', 'AAAA')).toEqual(six);
    expect(await dns.get(zone, 'six', 'A')).toBeUndefined();
  });

  it('are sought in a zone that is there, and one that is not is named', async () => {
    const { dns } = world.azure;
    await dns.requireZone(zone);
    expect(await failureOf(dns.requireZone(zone.replace(/[^/]+$/, 'elsewhere.test')))).toMatchObject({
      code: 'notFound',
      message: expect.stringContaining('reading the zone elsewhere.test'),
    });
  });

  it('of type CNAME hold exactly one name', async () => {
    const { dns } = world.azure;
    await dns.set(zone, 'www', 'CNAME', { ttlSeconds: 60, values: ['app.example.test'] });
    expect(await dns.get(zone, 'www', 'CNAME')).toEqual({ ttlSeconds: 60, values: ['app.example.test'] });
    const two = { ttlSeconds: 60, values: ['a.example.test', 'b.example.test'] };
    expect(await failureOf(dns.set(zone, 'www', 'CNAME', two))).toMatchObject({ code: 'invalidInput' });
  });

  it('are only sought in zones', async () => {
    const group = ids.securityGroup;
    expect(await failureOf(world.azure.dns.get(group, 'app', 'A'))).toMatchObject({ code: 'invalidInput' });
  });
});

describe('an identity without its role', () => {
  it('is told so, as something that may pass while roles propagate', async () => {
    const bare = await startTarget();
    try {
      expect(await failureOf(bare.azure.compute.power(bare.environment, 'x'))).toMatchObject({
        code: 'forbidden',
        kind: 'transient',
      });
    } finally {
      await bare.stop();
    }
  });
});
