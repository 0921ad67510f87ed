import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import type { PageBlobClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Bus } from '../../appliance/bus/bus.ts';
import { Outbox } from '../../appliance/bus/outbox.ts';
import { createLog } from '../../appliance/log.ts';
import { PlatformClient } from '../../appliance/platform/client.ts';
import { identify } from '../../appliance/platform/identity.ts';
import { SyncJobs } from '../../appliance/replication/jobs.ts';
import { Store } from '../../appliance/state/store.ts';
import { loseBitmap, qemuDaemon } from './nbd/qemuDaemon.ts';
import { run } from './nbd/servers.ts';
import { startSync } from './startSync.ts';
import { startWorld, type World } from './world.ts';

const MIB = 2 ** 20;
// Every test spawns processes, which take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.stop());

/** A disk image of which every `every`th MiB holds data. */
async function image(name: string, mib: number, every = 4): Promise<string> {
  const path = join(world.folder, name);
  const file = await open(path, 'w');
  await file.truncate(mib * MIB);
  for (let at = 0; at < mib; at += every) await file.write(Buffer.alloc(MIB, (at % 250) + 1), 0, MIB, at * MIB);
  await file.close();
  return path;
}

/** A line on which the 64 MiB of a disk take two seconds: what happens when its first bytes have arrived happens in the middle. */
const twoSeconds = { pace: [{ from: '2026-01-01T00:00:00.000Z', bytesPerSecond: 32 * MIB }] };

/** Resolves when the first bytes of the disk have arrived. */
async function firstBytes(blob: PageBlobClient): Promise<void> {
  const hasSome = async () => !(await blob.listPageRanges(0, world.sizeBytes).next()).done;
  await expect.poll(hasSome, { interval: 5, timeout: 20_000 }).toBe(true);
}

async function change(path: string, offset: number, data: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(data, 0, data.length, offset);
  await file.close();
}

const start = (syncId: string, kind: 'initial' | 'delta' | 'final', path: string, rest: object = {}) =>
  startSync(syncId, kind, { path, sizeBytes: world.sizeBytes }, rest);

const completed = (syncId: string) => world.event('landfall.sync.completed', ({ data }) => data.syncId === syncId);

async function expectEqual(blob: PageBlobClient, path: string, snapshot?: string): Promise<void> {
  const content = await (snapshot ? blob.withSnapshot(snapshot) : blob).downloadToBuffer(0, world.sizeBytes);
  expect(content.equals(await readFile(path))).toBe(true);
}

it('copies a disk, then only what changed, and each point is a snapshot that stays as it was', async () => {
  world.sizeBytes = 18 * MIB + 512;
  const path = await image('os.img', 18);
  await change(path, 18 * MIB, Buffer.alloc(512, 77));
  const blob = await world.stage('os', world.sizeBytes);
  world.appliance();

  await world.command(start('s1', 'initial', path));
  const first = await completed('s1');
  expect(first).toMatchObject({ subject: 'wave/web', operationid: 'prepare-wave.web-1:s1' });
  expect(first.data).toMatchObject({ kind: 'initial', consistency: 'none', resumed: false });
  const [point] = first.data.disks;
  expect(point).toMatchObject({ sizeBytes: world.sizeBytes, changedBytes: 5 * MIB + 4096, readBytes: world.sizeBytes });
  await expectEqual(blob, path);
  const before = await readFile(path);

  await change(path, 4 * MIB, Buffer.alloc(4 * MIB));
  await change(path, 9 * MIB, Buffer.alloc(8192, 200));
  await world.command(start('s2', 'delta', path, { previousRoot: first.data.root, verify: 'all' }));
  const second = await completed('s2');
  expect(second.data.disks[0]?.changedBytes).toBe(4096 * 2 + MIB);
  expect(second.data.verified).toEqual({ mode: 'all', bytes: 19 * MIB });
  expect(second.data.disks[0]?.targetRoot).toBe(second.data.disks[0]?.root);
  expect(second.data.root).not.toBe(first.data.root);
  await expectEqual(blob, path, second.data.disks[0]?.snapshot);
  const old = await blob.withSnapshot(point!.snapshot).downloadToBuffer(0, world.sizeBytes);
  expect(old.equals(before)).toBe(true);

  await world.command(start('s3', 'final', path, { previousRoot: second.data.root }));
  const third = await completed('s3');
  expect(third.data).toMatchObject({ consistency: 'stopped', root: second.data.root });
  expect(third.data.disks[0]?.changedBytes).toBe(0);

  await world.command(start('s4', 'delta', path, { previousRoot: first.data.root }));
  const afresh = await completed('s4');
  expect(afresh.data.root).toBe(second.data.root);
  expect(afresh.data.disks[0]?.changedBytes).toBeGreaterThan(4 * MIB);
  expect((await blob.downloadToBuffer(19 * MIB, 512)).toString('latin1', 0, 8)).toBe('conectix');
});

it('sends no faster than its line allows', async () => {
  world.sizeBytes = 4 * MIB;
  const path = await image('os.img', 4, 1);
  await world.stage('os', world.sizeBytes);
  world.appliance();
  const pace = [{ from: '2026-01-01T00:00:00.000Z', bytesPerSecond: 2 * MIB }];
  await world.command(start('slow', 'initial', path, { pace }));
  const { time, data } = await completed('slow');
  // Two seconds' worth, of which the first goes at once.
  expect(Date.parse(time) - Date.parse(data.startedAt)).toBeGreaterThanOrEqual(1000);
});

it('tells the bus how far a sync is', async () => {
  world.sizeBytes = 8 * MIB;
  const path = await image('os.img', 8);
  await world.stage('os', world.sizeBytes);
  // The appliance without its process, so that its clock is ours; nothing else of it has anything to say meanwhile.
  const log = createLog(() => {});
  const store = Store.open(world.stateDir);
  const settings = { stateDir: world.stateDir, bootstrapFile: world.bootstrap, hostName: 'web-01' };
  const { identity, bus: access } = await identify(settings, log);
  const platform = new PlatformClient(identity);
  const outbox = new Outbox(identity, store);
  const bus = new Bus({ platform, outbox, log, onCommand: async () => ({ settle: 'complete' }) });
  onTestFinished(async () => {
    await bus.stop();
    store.close();
  });
  await bus.start(access);
  let now = 0;
  world.settings.beforeBlobAccess = async () => {
    // Progress gives way to everything else: the start of the sync must be off before half a second is over.
    await expect.poll(() => outbox.next(), { interval: 5 }).toBeUndefined();
    now = 500;
  };
  const { operationId, data } = start('s1', 'initial', path);
  await new SyncJobs({ store, outbox, platform, log, now: () => now }).start(operationId, data);
  const progress = await world.event('landfall.sync.progress');
  // Said when the first bytes had arrived, before the first block of four MiB was done.
  const far = { doneBytes: 0, totalBytes: world.sizeBytes, writtenBytes: MIB, bytesPerSecond: 0 };
  expect(progress).toMatchObject({ subject: 'wave/web', data: { syncId: 's1', kind: 'initial', ...far } });
  await completed('s1');
  expect(world.received.filter(({ event }) => event.type === 'landfall.sync.progress')).toHaveLength(1);
});

it('a killed appliance goes on where it was, and storage that restarts in the middle is waited for', async () => {
  world.sizeBytes = 64 * MIB;
  const path = await image('os.img', 64, 1);
  const blob = await world.stage('os', world.sizeBytes);
  const first = world.appliance();
  await world.command(start('s1', 'initial', path, twoSeconds));
  await firstBytes(blob);
  await first.kill();

  await world.restartStorage(async () => {
    const second = world.appliance();
    await expect.poll(() => second.lines.join('\n'), { timeout: 10_000 }).toContain('storage cannot be reached');
  });
  const { data } = await completed('s1');
  expect(data.resumed).toBe(true);
  await expectEqual(blob, path, data.disks[0]?.snapshot);
  expect(world.received.filter(({ event }) => event.type === 'landfall.sync.started')).toHaveLength(1);
});

it('an appliance that is told to stop leaves its sync at a checkpoint and goes on with it later', async () => {
  world.sizeBytes = 64 * MIB;
  const path = await image('os.img', 64, 1);
  const blob = await world.stage('os', world.sizeBytes);
  const first = world.appliance();
  await world.command(start('s1', 'initial', path, twoSeconds));
  await firstBytes(blob);
  expect(await first.terminate()).toBe(0);

  world.appliance();
  const { data } = await completed('s1');
  expect(data).toMatchObject({ resumed: true, verified: { bytes: world.sizeBytes } });
  // What was acknowledged before the stop was not shipped again; only blocks cut off in flight were.
  expect(data.disks[0]?.changedBytes).toBeLessThanOrEqual(world.sizeBytes + 4 * 4 * MIB);
  await expectEqual(blob, path);
});

it.each([
  ['renewed before they expire', 2, 3600],
  ['renewed when storage refuses them early', 3600, 2],
])('signatures are %s in the middle of a copy', async (_title, claimedSeconds, realSeconds) => {
  world.sizeBytes = 64 * MIB;
  Object.assign(world.settings, { blobSeconds: realSeconds, blobClaimedSeconds: claimedSeconds });
  const path = await image('os.img', 64, 1);
  const blob = await world.stage('os', world.sizeBytes);
  const asked = () => world.asked.filter((url) => url.endsWith('/blob-access')).length;
  const appliance = world.appliance();
  await world.command(start('s1', 'initial', path, twoSeconds));
  await firstBytes(blob);
  await world.restartStorage(() => new Promise((resolve) => setTimeout(resolve, 2100)));
  await completed('s1');
  expect(asked()).toBeGreaterThanOrEqual(2);
  expect(appliance.lines.join('\n').includes('AuthenticationFailed')).toBe(claimedSeconds === 3600);
  await expectEqual(blob, path);
});

it('reads a frozen copy where the source has snapshot commands, and releases it', async () => {
  world.sizeBytes = 8 * MIB;
  const path = await image('os.img', 8);
  await world.stage('os', world.sizeBytes);
  const script = join(world.folder, 'snapshot.mjs');
  await writeFile(
    script,
    `import { copyFileSync, rmSync } from 'node:fs';
     const [, , verb, disk] = process.argv;
     const copy = ${JSON.stringify(world.folder)} + '/' + disk + '.frozen';
     if (verb === 'take') { copyFileSync(${JSON.stringify(path)}, copy); console.log(copy); } else rmSync(copy);`,
  );
  const snapshot = { take: [process.execPath, script, 'take'], release: [process.execPath, script, 'release'] };
  const appliance = world.appliance();
  await world.command(start('s1', 'initial', path, { snapshot }));
  expect((await completed('s1')).data.consistency).toBe('crash');
  expect(existsSync(join(world.folder, 'os.frozen'))).toBe(false);
  const quiesce = { freeze: ['/bin/true'], thaw: ['/bin/true'], withinSeconds: 20 };
  await world.command(start('s2', 'delta', path, { snapshot, quiesce }));
  expect((await completed('s2')).data.consistency).toBe('application');

  const disks = [{ sourceId: 'web', diskId: 'os', path }];
  const snapshots = [
    { sourceId: 'web', diskId: 'os', snapshot },
    { sourceId: 'web', diskId: 'data', snapshot: { ...snapshot, take: ['/does/not/exist'] } },
  ];
  const [listening, gone] = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')];
  await Promise.all([once(listening, 'listening'), once(gone, 'listening')]);
  const reach = [listening, gone].map((server) => ({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  }));
  await new Promise((resolve) => gone.close(resolve));
  await world.command({ type: 'landfall.worker.verify', operationId: 'w:verify', data: { disks, snapshots, reach } });
  const { data } = await world.event('landfall.worker.verified');
  await new Promise((resolve) => listening.close(resolve));
  expect(data.results.map(({ name, passed }) => [name, passed])).toEqual([
    [`127.0.0.1:${reach[1]?.port}`, false],
    ['web/data snapshot', false],
    [`127.0.0.1:${reach[0]?.port}`, true],
    ['web/os', true],
    ['web/os snapshot', true],
  ]);
  expect(await appliance.terminate()).toBe(0);
});

it('asks the source’s own commands what has changed, and compares everything when they have forgotten', async () => {
  world.sizeBytes = 8 * MIB;
  const qcow2 = join(world.folder, 'os.qcow2');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', await image('os.img', 8), qcow2);
  const daemon = await qemuDaemon(world.folder, qcow2);
  const write = (...writes: string[]) =>
    run('qemu-io', '-f', 'raw', ...writes.flatMap((one) => ['-c', `write ${one}`]), daemon.live);
  const { live, control, scratch } = daemon;
  const hook = [
    process.execPath,
    join(import.meta.dirname, 'nbd/snapshotHook.ts'),
    JSON.stringify({ live, control, scratch }),
  ];
  const snapshot = { take: [...hook, 'take'], release: [...hook, 'release'] };
  const blob = await world.stage('os', world.sizeBytes);
  const appliance = world.appliance();
  let previousRoot: string | undefined;
  const sync = async (syncId: string, kind: 'initial' | 'delta' | 'final') => {
    await world.command(start(syncId, kind, live, { snapshot, ...(previousRoot && { previousRoot }) }));
    const { data } = await completed(syncId);
    previousRoot = data.root;
    const now = join(world.folder, `${syncId}.img`);
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'raw', live, now);
    await expectEqual(blob, now);
    return data.disks[0]!;
  };
  try {
    expect(await sync('s1', 'initial')).toMatchObject({ changesFrom: 'manifest' });
    write('-P 9 1000 300', '-P 9 5M 64K');
    expect(await sync('s2', 'delta')).toMatchObject({ changesFrom: 'bitmap', changedBytes: 4096 + 65_536 });
    write('-P 8 6M 4K');
    await loseBitmap(daemon, 's2');
    expect(await sync('s3', 'delta')).toMatchObject({ changesFrom: 'manifest', changedBytes: 4096 });
    write('-P 7 6M 8K');
    expect(await sync('s4', 'delta')).toMatchObject({ changesFrom: 'bitmap', changedBytes: 8192 });
    write('-z 5M 64K');
    expect(await sync('s5', 'final')).toMatchObject({ changesFrom: 'bitmap', changedBytes: 65_536 });
    expect(appliance.lines.join('\n')).toContain('the source has not told what has changed since sync s2');
  } finally {
    await daemon.stop();
  }
});

it('a disk of another size is refused, and a cancelled sync ends with its reason', async () => {
  world.sizeBytes = 400 * MIB;
  const path = await image('os.img', 400);
  await world.stage('os', world.sizeBytes);
  world.appliance();
  world.sizeBytes += MIB;
  await world.command(start('s1', 'initial', path));
  expect((await world.event('landfall.sync.failed')).data).toMatchObject({ syncId: 's1', code: 'diskSizeChanged' });
  world.sizeBytes -= MIB;
  await world.command(start('s2', 'initial', path));
  await world.event('landfall.sync.started', ({ data }) => data.syncId === 's2');
  const cancel = { waveId: 'wave', workloadId: 'web', syncId: 's2' };
  await world.command({ type: 'landfall.sync.cancel', operationId: 'deltas:cancel', data: cancel });
  const failed = await world.event('landfall.sync.failed', ({ data }) => data.syncId === 's2');
  expect(failed).toMatchObject({ operationid: 'prepare-wave.web-1:s2', data: { code: 'cancelled' } });
});

it('the end of a sync survives a broker that is away and the death of the appliance', async () => {
  world.sizeBytes = 8 * MIB;
  const path = await image('os.img', 8);
  await world.stage('os', world.sizeBytes);
  const first = world.appliance();
  const frozen = join(world.folder, 'os.gate');
  const wait = `while ! test -e ${frozen}; do sleep 0.05; done; echo ${path}`;
  const snapshot = { take: ['/bin/sh', '-c', wait], release: ['/bin/true'] };
  await world.command(start('s1', 'initial', path, { snapshot }));
  await world.event('landfall.sync.started');
  await world.restartBus(async () => {
    await writeFile(frozen, '');
    await expect.poll(() => first.lines.join('\n'), { timeout: 20_000 }).toContain('a sync has completed');
    await first.kill();
  });
  world.appliance();
  expect((await completed('s1')).data.resumed).toBe(false);
});

it('a new sync of the same workload takes the place of the old one', async () => {
  world.sizeBytes = 8 * MIB;
  const path = await image('os.img', 8);
  const blob = await world.stage('os', world.sizeBytes);
  world.appliance();
  const snapshot = { take: ['/bin/sh', '-c', 'sleep 60'], release: ['/bin/true'] };
  await world.command(start('s1', 'initial', path, { snapshot }));
  await world.event('landfall.sync.started');
  await world.command(start('s2', 'initial', path));
  await completed('s2');
  expect((await world.event('landfall.sync.failed')).data).toMatchObject({ syncId: 's1', code: 'superseded' });
  await expectEqual(blob, path);
});
