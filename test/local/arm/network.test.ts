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
