import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fast, location, owner, scope, startWorld, subscriptionId, type World } from './world.ts';

const group = 'rg-machines';
const inGroup = (rest: string): string => `${scope}/resourceGroups/${group}/providers/${rest}`;
const image = inGroup('Microsoft.Compute/images/appliance');
const broken = inGroup('Microsoft.Compute/images/broken');
const subnet = { id: inGroup('Microsoft.Network/virtualNetworks/hub/subnets/a') };
const declared = {
  subscriptions: [{ subscriptionId, location, quota: { cores: 10 } }],
  images: {
    [image]: {
      command: ['{node}', fileURLToPath(new URL('./exampleMachine.ts', import.meta.url))],
      env: { LANDFALL_EXTRA: 'extra{machine}' },
    },
    [broken]: { command: ['/nonexistent/command'] },
  },
  resources: [
    {
      id: inGroup('Microsoft.Network/virtualNetworks/hub'),
      body: {
        properties: {
          addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
          subnets: [{ name: 'a', properties: { addressPrefix: '10.0.0.0/24' } }],
        },
      },
    },
    { id: inGroup('Microsoft.Network/networkInterfaces/nic0'), body: { properties: { ipConfigurations: [] } } },
  ],
};
let world: World;

beforeAll(async () => {
  process.env.SECRET_OF_THE_HOST = 'secret';
  world = await startWorld({ declared });
});
afterAll(() => world.stop());

const machineOf = (name: string, nicId: string, imageId: string) => ({
  location,
  hardwareProfile: { vmSize: 'Standard_B2s' },
  storageProfile: {
    imageReference: { id: imageId },
    osDisk: { createOption: 'FromImage' as const, deleteOption: 'Delete' },
  },
  osProfile: { computerName: name, customData: Buffer.from('one-time-token').toString('base64') },
  networkProfile: { networkInterfaces: [{ id: nicId }] },
});

async function create(name: string, imageId = image): Promise<void> {
  const { compute, network } = world.as(owner);
  const nic = await network.networkInterfaces.createOrUpdate(
    group,
    `nic-${name}`,
    { location, ipConfigurations: [{ name: 'ip', subnet }] },
    fast,
  );
  await compute.virtualMachines.createOrUpdate(group, name, machineOf(name, nic.id ?? '', imageId), fast);
}

const pidOf = (name: string): number | undefined => world.arm.machines().find((one) => one.name === name)?.pid;
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/ Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
const starts = (name: string): string[] => {
  const path = join(world.dataDir, 'machines', name, 'starts');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
};

describe('a machine of a registered image', () => {
  it('is the registered process, with its custom data in a private file and nothing of the host in its environment', async () => {
    await create('appliance');
    await vi.waitFor(() => expect(starts('appliance')).toHaveLength(1), { timeout: 5000 });
    expect(starts('appliance')[0]).toBe(
      `${pidOf('appliance')} one-time-token extra${inGroup('Microsoft.Compute/virtualMachines/appliance')} none`,
    );
    expect(statSync(join(world.dataDir, 'machines', 'appliance.custom-data')).mode & 0o777).toBe(0o600);
    const shown = await world.as(owner).compute.virtualMachines.get(group, 'appliance');
    expect(JSON.stringify(shown)).not.toContain(Buffer.from('one-time-token').toString('base64'));
  });

  it('is started again when its process dies', async () => {
    const before = pidOf('appliance') ?? 0;
    process.kill(before, 'SIGKILL');
    await vi.waitFor(() => expect(starts('appliance')).toHaveLength(2), { timeout: 5000 });
    expect(pidOf('appliance')).not.toBe(before);
  });

  it('is adopted by the next server when it was kept, and supervised as before', async () => {
    const before = pidOf('appliance') ?? 0;
    await world.restart({ keepMachines: true });
    expect(pidOf('appliance')).toBe(before);
    process.kill(before, 'SIGKILL');
    await vi.waitFor(() => expect(starts('appliance')).toHaveLength(3), { timeout: 5000 });
  });

  it('is found again when the server died before it could note the pid', async () => {
    const before = pidOf('appliance') ?? 0;
    await world.arm.stop({ keepMachines: true });
    const database = new DatabaseSync(join(world.dataDir, 'arm', 'arm.sqlite'));
    database.exec('UPDATE machines SET pid = NULL, startTime = NULL');
    database.close();
    await world.restart();
    expect(pidOf('appliance')).toBe(before);
  });

  it('ends with the server otherwise, and is started by the next one', async () => {
    const before = pidOf('appliance') ?? 0;
    await world.restart();
    expect(isAlive(before)).toBe(false);
    await vi.waitFor(() => expect(starts('appliance')).toHaveLength(4), { timeout: 5000 });
  });

  it('ends when it is powered off, starts when it is started, and leaves nothing when it is deleted', async () => {
    const { compute } = world.as(owner);
    const before = pidOf('appliance') ?? 0;
    await compute.virtualMachines.powerOff(group, 'appliance', fast);
    expect(isAlive(before)).toBe(false);
    expect(world.arm.machines()).toEqual([]);
    await compute.virtualMachines.start(group, 'appliance', fast);
    const after = pidOf('appliance') ?? 0;
    expect(isAlive(after)).toBe(true);
    await expect(
      compute.virtualMachines.runCommand(
        group,
        'appliance',
        { commandId: 'RunShellScript', script: ['hostname'] },
        fast,
      ),
    ).rejects.toMatchObject({ code: 'NotSimulated' });
    await compute.virtualMachines.delete(group, 'appliance', fast);
    expect(isAlive(after)).toBe(false);
    expect(existsSync(join(world.dataDir, 'machines', 'appliance'))).toBe(false);
    await expect(compute.disks.get(group, 'appliance_OsDisk_1')).rejects.toMatchObject({ statusCode: 404 });
  });

  it('fails to start when its process cannot be started, and an image without a process is not simulated', async () => {
    await expect(create('broken', broken)).rejects.toThrow(/OSProvisioningClientError/);
    await expect(create('unknown', `${image}-unknown`)).rejects.toMatchObject({ code: 'NotSimulated' });
  });

  it('does not outlive its group, not even when the group is deleted while it starts', async () => {
    const { resources, network, compute } = world.as(owner);
    await resources.resourceGroups.createOrUpdate('rg-brief', { location });
    const nic = await network.networkInterfaces.createOrUpdate(
      'rg-brief',
      'n',
      { location, ipConfigurations: [{ name: 'ip', subnet }] },
      fast,
    );
    const creation = await compute.virtualMachines
      .createOrUpdate('rg-brief', 'brief', machineOf('brief', nic.id ?? '', image), fast)
      .serialize();
    expect(creation).toContain('brief');
    await resources.resourceGroups.delete('rg-brief', fast);
    await world.restart();
    expect(world.arm.machines().filter(({ name }) => name === 'brief')).toEqual([]);
    expect(existsSync(join(world.dataDir, 'machines', 'brief'))).toBe(false);
  });

  it('survives a server that is killed, and is adopted by the next', async () => {
    await create('survivor');
    await vi.waitFor(() => expect(starts('survivor')).toHaveLength(1), { timeout: 5000 });
    const port = Number(new URL(world.arm.endpoint).port);
    await world.arm.stop({ keepMachines: true });
    const argument = JSON.stringify({ dataDir: world.dataDir, port, declared });
    const host = spawn(process.execPath, [fileURLToPath(new URL('./hostProcess.ts', import.meta.url)), argument], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(host.stdout, 'data');
    const pid = Number(starts('survivor')[0]?.split(' ')[0]);
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(starts('survivor')).toHaveLength(2), { timeout: 5000 });
    host.kill('SIGKILL');
    await once(host, 'exit');
    const second = Number(starts('survivor')[1]?.split(' ')[0]);
    expect(isAlive(second)).toBe(true);
    await world.restart();
    expect(pidOf('survivor')).toBe(second);
    await world.as(owner).resources.resourceGroups.delete(group, fast);
    expect(isAlive(second)).toBe(false);
  });
});
