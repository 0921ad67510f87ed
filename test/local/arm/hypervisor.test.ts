import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { blobStore, linuxDisk, vhdOf } from './disks.ts';
import { fast, location, owner, scope, startWorld, subscriptionId, type World } from './world.ts';

const group = 'rg-booted';
const storageAccountId = `${scope}/resourceGroups/${group}/providers/Microsoft.Storage/storageAccounts/staging`;
const blobs = blobStore();
// Copies the disk that it was given, as proof that it can read it, and stays.
const program = `require('node:fs').copyFileSync(process.argv[1], process.env.LANDFALL_STATE_DIR + '/seen');
setInterval(() => undefined, 60000);`;
let world: World;

beforeAll(async () => {
  world = await startWorld({
    openBlob: blobs.openBlob,
    declared: {
      subscriptions: [{ subscriptionId, location, quota: { cores: 10 } }],
      resources: [{ id: storageAccountId, body: {} }],
      hypervisor: { command: ['{node}', '-e', program, '{disk}'] },
    },
  });
});
afterAll(async () => {
  await world.stop();
  blobs.remove();
});

it('a declared hypervisor runs a machine from its OS disk until it is powered off, if the disk could boot', async () => {
  const { compute, network } = world.as(owner);
  const subnets = [{ name: 'a', addressPrefix: '10.1.0.0/24' }];
  const space = { location, addressSpace: { addressPrefixes: ['10.1.0.0/16'] }, subnets };
  const hub = await network.virtualNetworks.createOrUpdate(group, 'hub', space, fast);
  const subnet = { id: hub.subnets?.[0]?.id ?? '' };
  const start = async (name: string, content: Buffer) => {
    const creationData = {
      ...{ createOption: 'Import', storageAccountId },
      sourceUri: blobs.put(`${name}.vhd`, vhdOf(content)),
    };
    const disk = await compute.disks.createOrUpdate(group, name, { location, creationData }, fast);
    const ipConfigurations = [{ name: 'ip', subnet }];
    const nic = await network.networkInterfaces.createOrUpdate(group, name, { location, ipConfigurations }, fast);
    const osDisk = { createOption: 'Attach', osType: 'Linux' as const, managedDisk: { id: disk.id ?? '' } };
    await compute.virtualMachines.createOrUpdate(
      group,
      name,
      {
        ...{ location, hardwareProfile: { vmSize: 'Standard_D2s_v5' }, storageProfile: { osDisk } },
        networkProfile: { networkInterfaces: [{ id: nic.id ?? '' }] },
      },
      fast,
    );
  };
  const content = linuxDisk({ '/etc/hostname': 'booted\n' });
  await start('web', content);
  const seen = join(world.dataDir, 'machines', 'web', 'seen');
  await vi.waitFor(() => expect(existsSync(seen) && readFileSync(seen).equals(content)).toBe(true), { timeout: 5000 });
  expect(world.arm.machines()).toMatchObject([{ name: 'web', state: 'running' }]);
  const pid = world.arm.machines()[0]?.pid;
  await world.restart({ keepMachines: true });
  expect(world.arm.machines()[0]?.pid).toBe(pid);
  await world.as(owner).compute.virtualMachines.powerOff(group, 'web', fast);
  expect(world.arm.machines()).toEqual([]);
  await expect(start('empty', Buffer.alloc(2 ** 20))).rejects.toThrow(/not bootable/);
  expect(world.arm.machines()).toEqual([]);
});
