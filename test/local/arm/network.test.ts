import { restorePoller } from '@azure/arm-network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, fast, location, owner, scope, startWorld, type World } from './world.ts';

const group = 'rg-network';
const id = (rest: string): string => `${scope}/resourceGroups/${group}/providers/Microsoft.Network/${rest}`;
let world: World;

beforeAll(async () => {
  world = await startWorld();
  const { resources, network } = world.as(owner);
  await resources.resourceGroups.createOrUpdate(group, { location });
  await network.virtualNetworks.createOrUpdate(
    group,
    'hub',
    {
      location,
      addressSpace: { addressPrefixes: ['10.1.0.0/16'] },
      subnets: [{ name: 'a', addressPrefix: '10.1.0.0/29' }],
    },
    fast,
  );
});
afterAll(() => world.stop());

describe('network interfaces', () => {
  it('get the first free address of their subnet and keep it when they are put again', async () => {
    const { network } = world.as(owner);
    const body = { location, ipConfigurations: [{ name: 'ip', subnet: { id: id('virtualNetworks/hub/subnets/a') } }] };
    const one = await network.networkInterfaces.createOrUpdate(group, 'nic1', body, fast);
    expect(one.provisioningState).toBe('Succeeded');
    expect(one.ipConfigurations?.[0]?.privateIPAddress).toBe('10.1.0.4');
    const two = await network.networkInterfaces.createOrUpdate(group, 'nic2', body, fast);
    expect(two.ipConfigurations?.[0]?.privateIPAddress).toBe('10.1.0.5');
    const again = await network.networkInterfaces.createOrUpdate(group, 'nic1', body, fast);
    expect(again.ipConfigurations?.[0]?.privateIPAddress).toBe('10.1.0.4');
  });

  it('are finished by a poller that was serialised before the server restarted', async () => {
    const { network } = world.as(owner);
    const body = { location, ipConfigurations: [{ name: 'ip', subnet: { id: id('virtualNetworks/hub/subnets/a') } }] };
    const state = await network.networkInterfaces.createOrUpdate(group, 'nic3', body, fast).serialize();
    await world.restart();
    const later = world.as(owner).network;
    const poller = restorePoller(later, state, later.networkInterfaces.createOrUpdate, fast);
    const nic = await poller.pollUntilDone();
    expect(nic.provisioningState).toBe('Succeeded');
    await later.networkInterfaces.delete(group, 'nic3', fast);
    await expect(later.networkInterfaces.get(group, 'nic3')).rejects.toMatchObject({
      statusCode: 404,
      code: 'ResourceNotFound',
    });
  });

  it('are listed in their group, and found by id without regard to case', async () => {
    const { network, resources } = world.as(owner);
    expect((await all(network.networkInterfaces.list(group))).map(({ name }) => name)).toEqual(['nic1', 'nic2']);
    const found = await resources.resources.getById(id('networkInterfaces/NIC1').toUpperCase(), '2026-01-01');
    expect(found.name).toBe('nic1');
  });
});

describe('networks', () => {
  it('refuse to lose what is referenced, and references to what is not there', async () => {
    const { network } = world.as(owner);
    const hub = { location, addressSpace: { addressPrefixes: ['10.1.0.0/16'] } };
    await expect(network.virtualNetworks.createOrUpdate(group, 'hub', hub, fast)).rejects.toMatchObject({
      code: 'InUseSubnetCannotBeDeleted',
    });
    await expect(network.subnets.delete(group, 'hub', 'a', fast)).rejects.toMatchObject({
      code: 'InUseSubnetCannotBeDeleted',
    });
    const nowhere = {
      location,
      ipConfigurations: [{ name: 'ip', subnet: { id: id('virtualNetworks/hub/subnets/none') } }],
    };
    await expect(network.networkInterfaces.createOrUpdate(group, 'lost', nowhere, fast)).rejects.toMatchObject({
      code: 'InvalidResourceReference',
    });
  });

  it('refuse subnets that overlap or lie outside, and an address that is taken', async () => {
    const { network } = world.as(owner);
    await expect(
      network.subnets.createOrUpdate(group, 'hub', 'b', { addressPrefix: '10.1.0.0/28' }, fast),
    ).rejects.toMatchObject({ code: 'NetcfgSubnetRangesOverlap' });
    await expect(
      network.subnets.createOrUpdate(group, 'hub', 'b', { addressPrefix: '10.2.0.0/28' }, fast),
    ).rejects.toMatchObject({ code: 'NetcfgInvalidSubnet' });
    const subnet = { id: id('virtualNetworks/hub/subnets/a') };
    const taken = { name: 'ip', subnet, privateIPAllocationMethod: 'Static', privateIPAddress: '10.1.0.4' };
    await expect(
      network.networkInterfaces.createOrUpdate(group, 'nic9', { location, ipConfigurations: [taken] }, fast),
    ).rejects.toMatchObject({ code: 'PrivateIPAddressInUse' });
    await network.subnets.createOrUpdate(group, 'hub', 'b', { addressPrefix: '10.1.1.0/28' }, fast);
    expect((await all(network.subnets.list(group, 'hub'))).map(({ name }) => name)).toEqual(['a', 'b']);
    await network.subnets.delete(group, 'hub', 'b', fast);
  });
});

describe('security groups', () => {
  it('hold rules that come and go, and apply to an interface until it is given another', async () => {
    const { network } = world.as(owner);
    const deny = {
      access: 'Deny',
      direction: 'Outbound',
      protocol: '*',
      priority: 100,
      sourcePortRange: '*',
      destinationPortRange: '*',
      sourceAddressPrefix: '*',
      destinationAddressPrefix: '*',
    };
    await network.networkSecurityGroups.createOrUpdate(
      group,
      'quarantine',
      { location, securityRules: [{ name: 'deny', ...deny }] },
      fast,
    );
    await expect(network.securityRules.createOrUpdate(group, 'quarantine', 'twin', deny, fast)).rejects.toMatchObject({
      code: 'SecurityRuleConflict',
    });
    await network.securityRules.createOrUpdate(group, 'quarantine', 'more', { ...deny, priority: 110 }, fast);
    await network.securityRules.delete(group, 'quarantine', 'deny', fast);
    expect(
      (await network.networkSecurityGroups.get(group, 'quarantine')).securityRules?.map(({ name }) => name),
    ).toEqual(['more']);

    const body = { location, ipConfigurations: [{ name: 'ip', subnet: { id: id('virtualNetworks/hub/subnets/a') } }] };
    const networkSecurityGroup = { id: id('networkSecurityGroups/quarantine') };
    await network.networkInterfaces.createOrUpdate(group, 'nic2', { ...body, networkSecurityGroup }, fast);
    const effective = await network.networkInterfaces.listEffectiveNetworkSecurityGroups(group, 'nic2', fast);
    expect(effective.value?.[0]?.effectiveSecurityRules?.map(({ name }) => name)).toContain('more');
    await expect(network.networkSecurityGroups.delete(group, 'quarantine', fast)).rejects.toMatchObject({
      code: 'InUseNetworkSecurityGroupCannotBeDeleted',
    });
    await network.networkInterfaces.createOrUpdate(group, 'nic2', body, fast);
    await network.networkSecurityGroups.delete(group, 'quarantine', fast);
    await network.networkSecurityGroups.delete(group, 'quarantine', fast);
  });
});
