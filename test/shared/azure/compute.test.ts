import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnonymousCredential, PageBlobClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDisk, writeServerFiles } from '../../../examples/lab/disk.ts';
import { CutoverAction, needsOf } from '../../../shared/actions/all.ts';
import { failureOf, ids, inGroup, ownership, startTarget, type TargetWorld } from './target.ts';

const sizeBytes = 20 * 2 ** 20;
let world: TargetWorld;
let point: string;
const compute = () => world.azure.compute;

beforeAll(async () => {
  world = await startTarget();
  await world.authorize(needsOf([CutoverAction.parse({ kind: 'script', name: 'it', run: ['hostname'] })]));
  const { staging } = world.azure;
  await staging.ensureBlob(world.environment, 'db-01.vhd', sizeBytes, ownership);
  const blob = new PageBlobClient(
    (await staging.writeAccess(world.environment, 'db-01.vhd', 1)).url,
    new AnonymousCredential(),
  );
  const image = await diskImage();
  for (let at = 0; at < image.length; at += 2 ** 20) {
    const chunk = image.subarray(at, at + 2 ** 20);
    if (!chunk.every((byte) => byte === 0)) await blob.uploadPages(chunk, at, chunk.length);
  }
  const { snapshot } = await blob.createSnapshot();
  point = await staging.blobUrl(world.environment, 'db-01.vhd', snapshot);
});
afterAll(() => world.stop());

async function diskImage(): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-disk-'));
  try {
    await writeServerFiles(join(folder, 'files'), {
      hostName: 'db-01',
      service: 'ledger',
      textBytes: 5000,
      randomBytes: 50_000,
    });
    await makeDisk(join(folder, 'disk.img'), { sizeBytes, files: join(folder, 'files') });
    return readFileSync(join(folder, 'disk.img'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const disk = { name: 'db-01-system', sku: 'StandardSSD_LRS', boot: true };
const machine = {
  name: 'db-01',
  size: 'Standard_B2s',
  osDisk: disk.name,
  dataDisks: [],
  subnetId: ids.subnet,
  privateAddress: '10.0.1.20',
};

describe('a target machine', () => {
  it('is made from a point of its source, and everything may be begun twice', async () => {
    const { environment } = world;
    const networkSecurityGroupId = await world.azure.network.ensureDenyAll(environment, 'quarantine-db-01', ownership);
    const importing = { ...disk, sourceUrl: point };
    await world.complete(await compute().beginImportDisk(environment, importing, ownership));
    expect(await world.anotherAzure().compute.beginImportDisk(environment, importing, ownership)).toEqual({
      done: true,
    });

    const wanted = { ...machine, networkSecurityGroupId };
    const begun = await compute().beginMachine(environment, wanted, ownership);
    expect(begun).toMatchObject({ done: false, operation: { kind: 'createVirtualMachine', name: 'db-01' } });
    await world.complete(begun);
    expect(await compute().beginMachine(environment, wanted, ownership)).toEqual({ done: true });
    expect(await compute().findMachine(environment, 'db-01')).toMatchObject({
      provisioning: 'Succeeded',
      power: 'running',
      tags: {
        'landfall:owner': 'landfall',
        'landfall:wave': 'wave-1',
        'landfall:workload': 'db-01',
        'landfall:expires': ownership.expires,
      },
    });
    expect(await compute().privateAddress(environment, 'db-01')).toBe('10.0.1.20');
    expect(await world.azure.network.machineSecurityGroup(environment, 'db-01')).toBe(networkSecurityGroupId);
  });

  it('answers run command with what its disk holds', async () => {
    expect(await compute().runCommand(world.environment, 'db-01', ['cat /etc/hostname'])).toBe('db-01\n');
  });

  describe('and scripts', () => {
    const script = (id: string, ...lines: string[]) =>
      world.anotherAzure().compute.runScript(world.environment, 'db-01', { id, lines, withinSeconds: 60 });
    /** When each script began, by what it says. */
    async function begun(): Promise<Record<string, string>> {
      const { subscriptionId, resourceGroup } = world.environment;
      const { virtualMachineRunCommands: commands } = world.clients().compute(subscriptionId);
      const found: Record<string, string> = {};
      for await (const { source, tags, instanceView } of commands.listByVirtualMachine(resourceGroup, 'db-01', {
        expand: 'instanceView',
      })) {
        expect(tags).toMatchObject({ 'landfall:owner': 'landfall', 'landfall:workload': 'db-01' });
        found[source?.script ?? ''] = instanceView?.startTime?.toISOString() ?? '';
      }
      return found;
    }

    it('runs one once under its id, and says how it ended', async () => {
      const ended = { exitCode: 0, output: 'db-01\n', error: '' };
      expect(await script('one', 'hostname')).toEqual(ended);
      const before = await begun();
      expect(await script('one', 'hostname')).toEqual(ended);
      expect(await begun()).toEqual(before);
    });

    it('runs one that failed again from its beginning', async () => {
      const ended = { exitCode: 1, output: 'db-01\n', error: 'cat: /none: No such file or directory\n' };
      const lines = ['hostname', 'cat /none'];
      expect(await script('two', ...lines)).toEqual(ended);
      const before = await begun();
      expect(await script('two', ...lines)).toEqual(ended);
      const after = await begun();
      expect(Object.keys(after)).toEqual(Object.keys(before));
      expect(after[lines.join('\n')]).not.toBe(before[lines.join('\n')]);
    });

    it('finds one that somebody began who did not live to see its end', async () => {
      const answer = { status: 503, code: 'ServiceUnavailable', message: 'not now' };
      // The first look finds nothing; what comes after it has begun is lost.
      world.faults.push({ method: 'GET', action: 'runCommands/read', after: 1, answer });
      expect(await failureOf(script('three', 'ls /etc/hostname'))).toMatchObject({ kind: 'transient' });
      const before = await begun();
      expect(before['ls /etc/hostname']).toBeDefined();
      expect(await script('three', 'ls /etc/hostname')).toMatchObject({ exitCode: 0, output: '/etc/hostname\n' });
      expect(await begun()).toEqual(before);
    });

    it('says what Azure said of one that it could not run, and runs it anew', async () => {
      const failOperation = { code: 'VMAgentStatusCommunicationError', message: 'The agent does not answer.' };
      world.faults.push({ method: 'PUT', action: 'runCommands/write', failOperation });
      expect(await failureOf(script('six', 'cat /etc/os-release'))).toMatchObject({
        ...{ code: 'azureRejected', kind: 'terminal' },
        message: expect.stringContaining('The agent does not answer.'),
      });
      expect(await script('six', 'cat /etc/os-release')).toMatchObject({ exitCode: 0 });
    });

    it('refuses what cannot be answered from the disk, and a machine that is not ours', async () => {
      expect(await failureOf(script('four', 'systemctl restart ledger'))).toMatchObject({
        code: 'azureRejected',
        kind: 'terminal',
        detail: expect.stringContaining('NotSimulated'),
      });
      const { environment } = world;
      const other = compute().runScript(environment, 'nobody', { id: 'five', lines: ['hostname'], withinSeconds: 60 });
      expect(await failureOf(other)).toMatchObject({ code: 'notFound', kind: 'terminal' });
    });
  });

  it('says what it reaches as far as rules drop it, and is not asked to guess the rest', async () => {
    const away = { host: '10.0.9.9', port: 389 };
    expect(await compute().reachFrom(world.environment, 'db-01', [away, { ...away, port: 53 }])).toMatchObject([
      { seen: 'silent' },
      { seen: 'silent' },
    ]);
    await world.azure.network.setMachineSecurityGroup(world.environment, 'db-01', undefined);
    expect(
      await failureOf(compute().reachFrom(world.environment, 'db-01', [{ host: '203.0.113.7', port: 443 }])),
    ).toMatchObject({
      code: 'azureRejected',
      kind: 'terminal',
      detail: expect.stringContaining('NotSimulated') as string,
    });
    const groupId = inGroup('Microsoft.Network/networkSecurityGroups/quarantine-db-01');
    await world.azure.network.setMachineSecurityGroup(world.environment, 'db-01', groupId);
  });

  it('is not taken over for another workload, nor its disk imported over', async () => {
    const { environment } = world;
    const other = { ...ownership, workload: 'web-01' };
    const group = await world.azure.network.ensureDenyAll(environment, 'quarantine-db-01', ownership);
    const wanted = { ...machine, networkSecurityGroupId: group };
    expect(await failureOf(compute().beginMachine(environment, wanted, other))).toMatchObject({ code: 'conflict' });
    expect(
      await failureOf(compute().beginMachine(environment, { ...wanted, size: 'Standard_B4ms' }, ownership)),
    ).toMatchObject({ code: 'conflict', kind: 'terminal' });
    const another = { ...disk, sourceUrl: point.replace(/\?.*/, '') };
    expect(await failureOf(compute().beginImportDisk(environment, another, ownership))).toMatchObject({
      code: 'conflict',
      kind: 'terminal',
    });
  });

  it('gets tags but never loses its owner', async () => {
    await compute().setTags(world.environment, 'db-01', { team: 'finance', 'landfall:owner': 'nobody' });
    const tags = (await compute().findMachine(world.environment, 'db-01'))?.tags;
    expect(tags).toMatchObject({ team: 'finance', 'landfall:owner': 'landfall', 'landfall:workload': 'db-01' });
    await compute().setTags(world.environment, 'db-01', { tier: 'data' });
    expect((await compute().findMachine(world.environment, 'db-01'))?.tags).toMatchObject({
      team: 'finance',
      tier: 'data',
    });
  });

  it('is listed with everything that its wave owns, and goes part by part', async () => {
    const { environment } = world;
    const owned = await compute().listOwned(environment, 'wave', 'wave-1');
    expect(new Set(owned.map(({ tags }) => tags['landfall:workload']))).toEqual(new Set(['db-01']));
    expect(await compute().listOwned(environment, 'purpose', 'test')).toEqual([]);
    expect(owned.map(({ type }) => type.split('/').at(-1)).sort()).toEqual([
      'disks',
      'networkInterfaces',
      'networkSecurityGroups',
      'virtualMachines',
    ]);
    expect(await compute().listOwned(environment, 'wave', 'wave-2')).toEqual([]);
    for (let round = 0; round < 2; round++) {
      await world.complete(await compute().beginDeleteMachine(environment, 'db-01'));
      await world.complete(await compute().beginDeleteNic(environment, 'db-01-nic'));
      await world.complete(await compute().beginDeleteDisk(environment, disk.name));
      await world.azure.network.removeSecurityGroup(environment, 'quarantine-db-01');
    }
    expect(await compute().listOwned(environment, 'wave', 'wave-1')).toEqual([]);
    expect(await compute().power(environment, 'db-01')).toBe('absent');
    expect(await compute().privateAddress(environment, 'db-01')).toBeUndefined();
  });

  it('is not deleted when somebody else made it', async () => {
    expect(await failureOf(world.azure.network.removeSecurityGroup(world.environment, 'apps'))).toMatchObject({
      code: 'conflict',
      kind: 'terminal',
    });
    expect(
      await world.azure.network.securityRules(inGroup('Microsoft.Network/networkSecurityGroups/apps')),
    ).toBeDefined();
  });
});

describe('the appliance', () => {
  it('runs from its image in the environment’s subnet', async () => {
    const { environment } = world;
    const owner = { ...ownership, workload: 'environment' };
    const begin = () => compute().beginAppliance(environment, 'appliance-north', '{"token":"once"}', owner);
    await world.complete(await begin());
    expect(await begin()).toEqual({ done: true });
    const nextWave = { ...owner, wave: 'wave-2' };
    expect(await compute().beginAppliance(environment, 'appliance-north', '{}', nextWave)).toEqual({ done: true });
    expect(await compute().power(environment, 'appliance-north')).toBe('running');
    await world.complete(await compute().beginDeleteMachine(environment, 'appliance-north'));
    await world.complete(await compute().beginDeleteNic(environment, 'appliance-north-nic'));
    expect(await compute().listOwned(environment, 'wave', 'wave-1')).toEqual([]);
  });
});

describe('a long operation that fails', () => {
  const importing = () => ({ ...disk, sourceUrl: point });
  async function failing(code: string, message: string) {
    world.faults.push({ method: 'PUT', action: 'disks/write', failOperation: { code, message } });
    const begun = await compute().beginImportDisk(world.environment, importing(), ownership);
    return failureOf(world.complete(begun));
  }

  it('is told apart by its code: no room is worth another try', async () => {
    expect(await failing('AllocationFailed', 'Allocation failed.')).toMatchObject({
      code: 'unavailable',
      kind: 'transient',
      detail: 'AllocationFailed: Allocation failed.',
    });
  });

  it('is told apart by its code: what Azure refuses is final, what exceeds the quota says so', async () => {
    expect(await failing('SkuNotAvailable', 'Not here.')).toMatchObject({ code: 'azureRejected', kind: 'terminal' });
    expect(await failing('OperationNotAllowed', 'Exceeding approved Total Regional Cores quota.')).toMatchObject({
      code: 'quotaExceeded',
      kind: 'terminal',
    });
  });

  it('can be begun again', async () => {
    await world.complete(await compute().beginImportDisk(world.environment, importing(), ownership));
    await world.complete(await compute().beginDeleteDisk(world.environment, disk.name));
  });

  it('that is refused because something is still in use is worth another try', async () => {
    const begun = await compute().beginAppliance(world.environment, 'holder', '{}', ownership);
    await world.complete(begun);
    expect(await failureOf(compute().beginDeleteNic(world.environment, 'holder-nic'))).toMatchObject({
      code: 'unavailable',
      kind: 'transient',
    });
  });

  it('passes a throttled answer on at once, with the time to wait', async () => {
    const headers = { 'retry-after': '17' };
    world.faults.push({
      action: 'disks/read',
      answer: { status: 429, code: 'TooManyRequests', message: 'slow down', headers },
    });
    expect(await failureOf(compute().beginImportDisk(world.environment, importing(), ownership))).toMatchObject({
      code: 'throttled',
      kind: 'throttled',
      retryAfterSeconds: 17,
    });
  });
});
