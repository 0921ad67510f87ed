import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { restorePoller } from '@azure/arm-compute';
import { BlobClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobStore, linuxDisk, mebibyte, vhdOf } from './disks.ts';
import { all, fast, location, owner, scope, startWorld, subscriptionId, type World } from './world.ts';

const group = 'rg-compute';
const inGroup = (rest: string): string => `${scope}/resourceGroups/${group}/providers/${rest}`;
const storageAccountId = inGroup('Microsoft.Storage/storageAccounts/staging');
const subnet = { id: inGroup('Microsoft.Network/virtualNetworks/hub/subnets/a') };
const linux = {
  '/etc/hostname': 'erp-db\n',
  '/usr/lib/os-release': 'ID=debian\n',
  '/etc/os-release': '-> ../usr/lib/os-release',
  '/srv/data/ledger': 'forty-two',
};
const blobs = blobStore();
let world: World;

beforeAll(async () => {
  world = await startWorld({
    openBlob: blobs.openBlob,
    declared: {
      subscriptions: [{ subscriptionId, location, quota: { cores: 10 } }],
      resources: [{ id: storageAccountId, body: {} }],
    },
  });
  const { network } = world.as(owner);
  const subnets = [{ name: 'a', addressPrefix: '10.1.0.0/24' }];
  await network.virtualNetworks.createOrUpdate(
    group,
    'hub',
    { location, addressSpace: { addressPrefixes: ['10.1.0.0/16'] }, subnets },
    fast,
  );
});
afterAll(async () => {
  await world.stop();
  blobs.remove();
});

const importing = (
  sourceUri: string,
): { location: string; creationData: { createOption: string; sourceUri: string; storageAccountId: string } } => ({
  location,
  creationData: { createOption: 'Import', sourceUri, storageAccountId },
});

async function importDisk(name: string, content: Buffer): Promise<string> {
  const disk = await world
    .as(owner)
    .compute.disks.createOrUpdate(group, name, importing(blobs.put(`${name}.vhd`, vhdOf(content))), fast);
  return disk.id ?? '';
}

async function makeNic(name: string): Promise<string> {
  const body = { location, ipConfigurations: [{ name: 'ip', subnet }] };
  return (await world.as(owner).network.networkInterfaces.createOrUpdate(group, name, body, fast)).id ?? '';
}

const machine = (nicId: string, diskId: string, more: object = {}) => ({
  location,
  hardwareProfile: { vmSize: 'Standard_D2s_v5' },
  storageProfile: {
    osDisk: { createOption: 'Attach', osType: 'Linux' as const, managedDisk: { id: diskId } },
    ...more,
  },
  networkProfile: { networkInterfaces: [{ id: nicId }] },
});

const powerOf = async (name: string): Promise<string | undefined> =>
  (await world.as(owner).compute.virtualMachines.instanceView(group, name)).statuses
    ?.map(({ code }) => code)
    .find((code) => code?.startsWith('PowerState/'));

describe('managed disks', () => {
  it('are imported from a fixed VHD, without its footer, and only once', async () => {
    const { compute } = world.as(owner);
    const url = blobs.put('plain.vhd', vhdOf(Buffer.alloc(2 * mebibyte, 'x')));
    const disk = await compute.disks.createOrUpdate(group, 'plain', importing(`${url}?sig=secret`), fast);
    expect(disk).toMatchObject({
      provisioningState: 'Succeeded',
      diskState: 'Unattached',
      diskSizeBytes: 2 * mebibyte,
      diskSizeGB: 1,
    });
    expect(disk.creationData?.sourceUri).toBe(url);
    const again = await compute.disks.createOrUpdate(group, 'plain', importing(url), fast);
    expect(again.uniqueId).toBe(disk.uniqueId);
    await expect(compute.disks.createOrUpdate(group, 'plain', importing(`${url}-other`), fast)).rejects.toMatchObject({
      code: 'PropertyChangeNotAllowed',
    });
  });

  it.each([
    ['has no footer', (content: Buffer) => content, /conectix/],
    ['is dynamic', (content: Buffer) => vhdOf(content, (footer) => footer.writeUInt32BE(3, 60)), /not fixed/],
    ['has a broken footer', (content: Buffer) => vhdOf(content, (footer) => footer.write('x', 100)), /checksum/],
    ['is not a whole number of MiB', (content: Buffer) => vhdOf(content.subarray(512)), /multiple of 1 MiB/],
  ])('fail when the blob %s', async (name, make, message) => {
    const { compute } = world.as(owner);
    const url = blobs.put('bad.vhd', make(Buffer.alloc(mebibyte, 1)));
    const diskName = name.replaceAll(' ', '-');
    await expect(compute.disks.createOrUpdate(group, diskName, importing(url), fast)).rejects.toThrow(message);
    expect((await compute.disks.get(group, diskName)).provisioningState).toBe('Failed');
    blobs.put('bad.vhd', vhdOf(Buffer.alloc(mebibyte, 1)));
    expect((await compute.disks.createOrUpdate(group, diskName, importing(url), fast)).provisioningState).toBe(
      'Succeeded',
    );
  });

  it('finish importing after a restart, for a poller that was serialised before it', async () => {
    const url = blobs.put('slow.vhd', vhdOf(Buffer.alloc(mebibyte, 7)));
    const { compute } = world.as(owner);
    const state = await compute.disks.createOrUpdate(group, 'slow', importing(url), fast).serialize();
    await world.restart();
    const later = world.as(owner).compute;
    const disk = await restorePoller(later, state, later.disks.createOrUpdate, fast).pollUntilDone();
    expect(disk.provisioningState).toBe('Succeeded');
  });

  it('are read, in ranges, through a shared access signature until it is revoked', async () => {
    const content = Buffer.alloc(mebibyte, 'abcdefg');
    await importDisk('readable', content);
    const { compute } = world.as(owner);
    const grant = { access: 'Read', durationInSeconds: 60 };
    const state = await compute.disks.grantAccess(group, 'readable', grant, fast).serialize();
    const { accessSAS = '' } = await restorePoller(compute, state, compute.disks.grantAccess, fast).pollUntilDone();
    const head = await fetch(accessSAS, { method: 'HEAD' });
    expect(Number(head.headers.get('content-length'))).toBe(mebibyte + 512);
    const whole = Buffer.from(await (await fetch(accessSAS)).arrayBuffer());
    expect(whole.subarray(0, mebibyte).equals(content)).toBe(true);
    expect(whole.toString('latin1', mebibyte, mebibyte + 8)).toBe('conectix');
    const part = await fetch(accessSAS, { headers: { range: `bytes=7-13` } });
    expect([part.status, await part.text()]).toEqual([206, 'abcdefg']);
    const throughSdk = await new BlobClient(accessSAS).downloadToBuffer(0, mebibyte);
    expect(throughSdk.equals(content)).toBe(true);
    expect((await fetch(accessSAS.replace(/sig=./, 'sig=_'))).status).toBe(403);
    await expect(compute.disks.delete(group, 'readable', fast)).rejects.toMatchObject({ statusCode: 409 });
    await compute.disks.revokeAccess(group, 'readable', fast);
    expect((await fetch(accessSAS)).status).toBe(403);
    await compute.disks.delete(group, 'readable', fast);
  });

  it('are copied from snapshots, keeping their content and their holes', async () => {
    const content = Buffer.concat([Buffer.from('start'.padEnd(4096)), Buffer.alloc(8 * mebibyte - 4096)]);
    const sourceResourceId = await importDisk('original', content);
    const { compute } = world.as(owner);
    const snapshot = await compute.snapshots.createOrUpdate(
      group,
      'point',
      { location, incremental: true, creationData: { createOption: 'Copy', sourceResourceId } },
      fast,
    );
    await compute.disks.delete(group, 'original', fast);
    const copy = await compute.disks.createOrUpdate(
      group,
      'copy',
      { location, creationData: { createOption: 'Copy', sourceResourceId: snapshot.id ?? '' } },
      fast,
    );
    const { accessSAS = '' } = await compute.disks.grantAccess(
      group,
      'copy',
      { access: 'Read', durationInSeconds: 60 },
      fast,
    );
    const read = Buffer.from(await (await fetch(accessSAS)).arrayBuffer());
    expect(read.subarray(0, content.length).equals(content)).toBe(true);
    const path = join(world.dataDir, 'arm', 'disks', `${copy.uniqueId}.raw`);
    expect(statSync(path).blocks * 512).toBeLessThan(mebibyte);
    await compute.disks.revokeAccess(group, 'copy', fast);
    await compute.disks.delete(group, 'copy', fast);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(join(world.dataDir, 'arm', 'disks')).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe('a machine that is its disk', () => {
  it('runs, and answers run command from the files in that disk and in no other way', async () => {
    const diskId = await importDisk('os', linuxDisk(linux, mebibyte));
    const dataId = await importDisk('data', Buffer.alloc(mebibyte));
    const nicId = await makeNic('nic-os');
    const { compute, network } = world.as(owner);
    const dataDisks = [{ lun: 0, createOption: 'Attach', managedDisk: { id: dataId } }];
    const state = await compute.virtualMachines
      .createOrUpdate(group, 'erp', machine(nicId, diskId, { dataDisks }), fast)
      .serialize();
    await world.restart();
    const later = world.as(owner).compute;
    const made = await restorePoller(later, state, later.virtualMachines.createOrUpdate, fast).pollUntilDone();
    expect(made.provisioningState).toBe('Succeeded');
    expect(await powerOf('erp')).toBe('PowerState/running');
    expect(await later.disks.get(group, 'os')).toMatchObject({ diskState: 'Attached', managedBy: made.id });
    expect((await network.networkInterfaces.get(group, 'nic-os')).virtualMachine?.id).toBe(made.id);

    const script = ['hostname', 'cat /etc/os-release', 'sha256sum /srv/data/ledger', 'ls /srv', 'cat /none'];
    const { value } = await later.virtualMachines.runCommand(
      group,
      'erp',
      { commandId: 'RunShellScript', script },
      fast,
    );
    const sha256 = createHash('sha256').update('forty-two').digest('hex');
    expect(value?.map(({ message }) => message)).toEqual([
      `erp-db\nID=debian\n${sha256}  /srv/data/ledger\ndata\n`,
      'cat: /none: No such file or directory\n',
    ]);
    for (const line of ['uname -a', 'cat /etc/hostname; id', 'cat "/etc/hostname"', 'ls -l /', 'cat <2>', 'cat ../x']) {
      await expect(
        later.virtualMachines.runCommand(group, 'erp', { commandId: 'RunShellScript', script: [line] }, fast),
      ).rejects.toMatchObject({ code: 'NotSimulated' });
    }
  });

  it('has managed run commands below it, each with how it ended', async () => {
    const { compute } = world.as(owner);
    const commands = compute.virtualMachineRunCommands;
    const put = (name: string, script: string) =>
      commands.createOrUpdate(group, 'erp', name, { location, source: { script } }, fast);
    expect(await put('who', 'hostname\n# a comment\nls /srv')).toMatchObject({
      name: 'who',
      provisioningState: 'Succeeded',
      timeoutInSeconds: 5_400,
    });
    const look = async (name: string) =>
      (await commands.getByVirtualMachine(group, 'erp', name, { expand: 'instanceView' })).instanceView;
    expect(await look('who')).toMatchObject({
      executionState: 'Succeeded',
      exitCode: 0,
      output: 'erp-db\ndata\n',
      error: '',
    });
    expect((await commands.getByVirtualMachine(group, 'erp', 'who')).instanceView).toBeUndefined();
    // The script has failed, the run command has not: its instance view says so.
    expect(await put('none', 'hostname\ncat /none')).toMatchObject({ provisioningState: 'Succeeded' });
    expect(await look('none')).toMatchObject({
      ...{ executionState: 'Failed', exitCode: 1, output: 'erp-db\n' },
      error: 'cat: /none: No such file or directory\n',
    });
    await put('goes on', 'cat /none\nhostname');
    expect(await look('goes on')).toMatchObject({ executionState: 'Succeeded', exitCode: 0 });
    expect((await all(commands.listByVirtualMachine(group, 'erp'))).map(({ name }) => name)).toEqual([
      'goes on',
      'none',
      'who',
    ]);
    await expect(put('who', 'hostname')).rejects.toMatchObject({ code: 'NotSimulated' });
    await expect(put('shell', 'rm -rf /srv')).rejects.toMatchObject({ code: 'NotSimulated' });
    for (const more of [
      { runAsUser: 'me' },
      { parameters: [{ name: 'a', value: 'b' }] },
      { source: { commandId: 'x' } },
    ])
      await expect(
        commands.createOrUpdate(group, 'erp', 'more', { location, source: { script: 'hostname' }, ...more }, fast),
      ).rejects.toMatchObject({ code: 'NotSimulated' });
    await commands.delete(group, 'erp', 'who', fast);
    await put('who', 'cat /etc/hostname');
    expect(await look('who')).toMatchObject({ output: 'erp-db\n' });
  });

  it('is powered off, deallocated, started, tagged and deleted; what it held is held until then', async () => {
    const { compute, network } = world.as(owner);
    await compute.virtualMachines.powerOff(group, 'erp', fast);
    expect(await powerOf('erp')).toBe('PowerState/stopped');
    await expect(
      compute.virtualMachines.runCommand(group, 'erp', { commandId: 'RunShellScript', script: ['hostname'] }, fast),
    ).rejects.toMatchObject({ statusCode: 409 });
    await expect(
      compute.virtualMachineRunCommands.createOrUpdate(group, 'erp', 'late', {
        location,
        source: { script: 'hostname' },
      }),
    ).rejects.toMatchObject({ statusCode: 409 });
    await compute.virtualMachines.deallocate(group, 'erp', fast);
    expect(await powerOf('erp')).toBe('PowerState/deallocated');
    const state = await compute.virtualMachines.start(group, 'erp', fast).serialize();
    await world.restart();
    const later = world.as(owner).compute;
    await restorePoller(later, state, later.virtualMachines.start, fast).pollUntilDone();
    expect(await powerOf('erp')).toBe('PowerState/running');
    await later.virtualMachines.update(group, 'erp', { tags: { 'landfall:wave': 'w1' } }, fast);
    expect((await all(later.virtualMachines.list(group)))[0]?.tags).toEqual({ 'landfall:wave': 'w1' });

    await expect(later.disks.delete(group, 'os', fast)).rejects.toMatchObject({ statusCode: 409 });
    await expect(network.networkInterfaces.delete(group, 'nic-os', fast)).rejects.toMatchObject({ code: 'NicInUse' });
    const osId = inGroup('Microsoft.Compute/disks/os');
    await expect(
      later.virtualMachines.createOrUpdate(group, 'thief', machine(await makeNic('nic2'), osId), fast),
    ).rejects.toMatchObject({ statusCode: 409 });
    await later.virtualMachines.delete(group, 'erp', fast);
    expect((await later.disks.get(group, 'os')).diskState).toBe('Unattached');
    await later.disks.delete(group, 'os', fast);
    await world.as(owner).network.networkInterfaces.delete(group, 'nic-os', fast);
  });

  it.each([
    ['without a filesystem', () => Buffer.alloc(4 * mebibyte), /neither a partition table nor an ext4 superblock/],
    ['that is not Linux', () => linuxDisk({ '/readme': 'hello' }), /neither \/etc\/os-release nor \/etc\/hostname/],
  ])('fails to start on a disk %s', async (name, content, message) => {
    const slug = name.replaceAll(' ', '-');
    const diskId = await importDisk(slug, content());
    const { compute } = world.as(owner);
    const nicId = await makeNic(`nic-${slug}`);
    await expect(compute.virtualMachines.createOrUpdate(group, slug, machine(nicId, diskId), fast)).rejects.toThrow(
      message,
    );
    expect(await powerOf(slug)).toBe('PowerState/stopped');
    await expect(compute.virtualMachines.start(group, slug, fast)).rejects.toThrow(/OSProvisioningClientError/);
    await compute.virtualMachines.delete(group, slug, fast);
  });

  it('is refused when it refers to what is not there, and when it exceeds the quota', async () => {
    const { compute } = world.as(owner);
    const diskId = await importDisk('spare', linuxDisk(linux));
    const nicId = await makeNic('nic-spare');
    const create = (body: ReturnType<typeof machine>) =>
      compute.virtualMachines.createOrUpdate(group, 'spare', body, fast);
    await expect(create(machine(`${nicId}-none`, diskId))).rejects.toMatchObject({ statusCode: 404 });
    await expect(create(machine(nicId, `${diskId}-none`))).rejects.toMatchObject({ statusCode: 404 });
    const large = { ...machine(nicId, diskId), hardwareProfile: { vmSize: 'Standard_D16s_v5' } };
    await expect(create(large)).rejects.toMatchObject({
      statusCode: 409,
      code: 'OperationNotAllowed',
      message: expect.stringContaining('exceeding approved Total Regional Cores quota'),
    });
    await create(machine(nicId, diskId));
    const usages = await all(compute.usage.list(location));
    const used = (name: string) => usages.find((usage) => usage.name.value === name);
    expect(used('cores')).toMatchObject({ currentValue: 2, limit: 10 });
    expect(used('standardDSv5Family')).toMatchObject({ currentValue: 2 });
    expect(used('standardBSFamily')).toMatchObject({ currentValue: 0 });
  });

  it('comes in the sizes that are listed with their families and cores, and in no other', async () => {
    const { compute } = world.as(owner);
    const offered = await all(compute.resourceSkus.list({ filter: `location eq '${location}'` }));
    const small = offered.find(({ name }) => name === 'Standard_D2s_v5');
    expect(small).toMatchObject({ resourceType: 'virtualMachines', family: 'standardDSv5Family', restrictions: [] });
    expect(small?.capabilities).toContainEqual({ name: 'vCPUs', value: '2' });
    expect(await all(compute.resourceSkus.list({ filter: "location eq 'northpole'" }))).toEqual([]);
    const body = { ...machine(await makeNic('nic-odd'), 'none'), hardwareProfile: { vmSize: 'Standard_Odd' } };
    await expect(compute.virtualMachines.createOrUpdate(group, 'odd', body, fast)).rejects.toMatchObject({
      statusCode: 400,
      code: 'InvalidParameter',
    });
  });
});
