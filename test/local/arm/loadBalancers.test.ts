import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, fast, limited, location, owner, scope, startWorld, type World } from './world.ts';

const group = 'rg-balanced';
const id = (rest: string): string => `${scope}/resourceGroups/${group}/providers/Microsoft.Network/${rest}`;
const hub = id('virtualNetworks/hub');
const subnet = { id: `${hub}/subnets/a` };
const pool = id('loadBalancers/inner/backendAddressPools/servers');
const held = (name: string, ipAddress: string) => ({ name, ipAddress, virtualNetwork: { id: hub } });
const nic = (...pools: string[]) => ({
  location,
  ipConfigurations: [{ name: 'ip', subnet, loadBalancerBackendAddressPools: pools.map((one) => ({ id: one })) }],
});

let world: World;
beforeAll(async () => {
  world = await startWorld({
    declared: {
      subscriptions: [{ subscriptionId: scope.slice('/subscriptions/'.length), location, quota: { cores: 10 } }],
      // May write interfaces, and join nothing.
      roleAssignments: [{ scope, principalId: limited, roleName: 'Reader' }],
    },
  });
  const { resources, network } = world.as(owner);
  await resources.resourceGroups.createOrUpdate(group, { location });
  const subnets = [{ name: 'a', addressPrefix: '10.1.0.0/24' }];
  const addressSpace = { addressPrefixes: ['10.1.0.0/16'] };
  await network.virtualNetworks.createOrUpdate(group, 'hub', { location, addressSpace, subnets }, fast);
  await network.loadBalancers.createOrUpdate(
    group,
    'inner',
    {
      location,
      sku: { name: 'Standard' },
      frontendIPConfigurations: [{ name: 'front', subnet }],
      backendAddressPools: [{ name: 'servers' }],
    },
    fast,
  );
});
afterAll(() => world.stop());

describe('a backend pool', () => {
  it('has the interfaces that name it as members, until they name it no more', async () => {
    const { networkInterfaces, loadBalancerBackendAddressPools: pools, loadBalancers } = world.as(owner).network;
    const made = await networkInterfaces.createOrUpdate(group, 'one', nic(pool), fast);
    const configuration = made.ipConfigurations?.[0];
    expect(configuration?.loadBalancerBackendAddressPools?.map((one) => one.id)).toEqual([pool]);
    const seen = await pools.get(group, 'inner', 'servers');
    expect(seen.backendIPConfigurations?.map((one) => one.id)).toEqual([configuration?.id]);
    expect(seen.loadBalancerBackendAddresses).toMatchObject([
      { networkInterfaceIPConfiguration: { id: configuration?.id } },
    ]);
    expect((await loadBalancers.get(group, 'inner')).backendAddressPools?.[0]?.backendIPConfigurations).toHaveLength(1);
    await expect(loadBalancers.delete(group, 'inner', fast)).rejects.toMatchObject({
      code: 'InUseBackendAddressPoolCannotBeDeleted',
    });
    await networkInterfaces.createOrUpdate(group, 'one', nic(), fast);
    expect((await pools.get(group, 'inner', 'servers')).backendIPConfigurations).toBeUndefined();
  });

  it('that holds addresses keeps their order, and takes none twice, from elsewhere, or beside an interface', async () => {
    const { networkInterfaces, loadBalancerBackendAddressPools: pools } = world.as(owner).network;
    const put = (...loadBalancerBackendAddresses: object[]) =>
      pools.createOrUpdate(group, 'inner', 'sources', { loadBalancerBackendAddresses }, fast);
    const [one, two] = [held('one', '10.1.0.11'), held('two', '10.1.0.12')];
    await put(two, one);
    const seen = await pools.get(group, 'inner', 'sources');
    expect(seen.loadBalancerBackendAddresses?.map(({ ipAddress }) => ipAddress)).toEqual(['10.1.0.12', '10.1.0.11']);
    expect((await all(pools.list(group, 'inner'))).map(({ name }) => name)).toEqual(['servers', 'sources']);
    await expect(put(one, { ...two, ipAddress: '10.1.0.11' })).rejects.toMatchObject({ statusCode: 400 });
    await expect(put(held('far', '192.0.2.1'))).rejects.toMatchObject({ statusCode: 400 });
    await expect(put({ name: 'bare', ipAddress: '10.1.0.13' })).rejects.toMatchObject({ statusCode: 400 });
    await expect(put({ ...one, virtualNetwork: { id: id('virtualNetworks/none') } })).rejects.toMatchObject({
      code: 'InvalidResourceReference',
    });
    const sources = id('loadBalancers/inner/backendAddressPools/sources');
    await expect(networkInterfaces.createOrUpdate(group, 'one', nic(sources), fast)).rejects.toMatchObject({
      code: 'BackendPoolCannotMixNicAndIp',
    });
    await networkInterfaces.createOrUpdate(group, 'one', nic(pool), fast);
    await expect(
      pools.createOrUpdate(group, 'inner', 'servers', { loadBalancerBackendAddresses: [one] }, fast),
    ).rejects.toMatchObject({ code: 'BackendPoolCannotMixNicAndIp' });
    await networkInterfaces.createOrUpdate(group, 'one', nic(), fast);
  });

  it('that is not there takes nobody, and one that the caller may not join takes not the caller', async () => {
    const { networkInterfaces } = world.as(owner).network;
    await expect(networkInterfaces.createOrUpdate(group, 'one', nic(`${pool}-other`), fast)).rejects.toMatchObject({
      code: 'InvalidResourceReference',
    });
    const { authorization } = world.as(owner);
    const role = '11111111-2222-4333-8444-555555555555';
    const definition = await authorization.roleDefinitions.createOrUpdate(scope, role, {
      roleName: 'interfaces only',
      roleType: 'CustomRole',
      permissions: [
        {
          actions: [
            'Microsoft.Network/networkInterfaces/write',
            'Microsoft.Network/virtualNetworks/subnets/join/action',
          ],
        },
      ],
      assignableScopes: [scope],
    });
    await authorization.roleAssignments.create(scope, '11111111-2222-4333-8444-666666666666', {
      principalId: limited,
      roleDefinitionId: definition.id ?? '',
    });
    const joins = () =>
      world
        .as(limited)
        .network.networkInterfaces.createOrUpdate(group, 'two', nic(pool), fast)
        .then(
          () => 'joined',
          ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
        );
    // Until its role counts, it may not even write.
    await expect.poll(joins).toMatch(/^LinkedAuthorizationFailed: .*backendAddressPools\/join\/action/);
  });
});

it('what is not simulated is refused: other SKUs, and frontends without a subnet', async () => {
  const { loadBalancers } = world.as(owner).network;
  await expect(
    loadBalancers.createOrUpdate(group, 'basic', { location, sku: { name: 'Basic' } }, fast),
  ).rejects.toMatchObject({ code: 'NotSimulated' });
  await expect(
    loadBalancers.createOrUpdate(
      group,
      'open',
      { location, sku: { name: 'Standard' }, frontendIPConfigurations: [{ name: 'front' }] },
      fast,
    ),
  ).rejects.toMatchObject({ code: 'NotSimulated' });
});
