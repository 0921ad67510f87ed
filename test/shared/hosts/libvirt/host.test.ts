// A real libvirt with a real machine, in a session of its own.
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { FrozenDisk } from '../../../../shared/hosts/contract.ts';
import { createHosts } from '../../../../shared/hosts/hosts.ts';
import { source } from '../../../fakes/definitions.ts';
import { countOn, makeGuestDisk } from '../guest.ts';
import { run, until } from '../qemu/process.ts';
import { Libvirt } from './daemon.ts';

// Emulated machines are slow where the computer is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let libvirt: Libvirt;
let scratch: string;
const db = source('db-01', {
  host: { kind: 'libvirt', connection: 'cellar', domain: 'db' },
  disks: [{ id: 'os', path: '/dev/vda', sizeBytes: 2 ** 20, boot: true, atHost: 'vda' }],
});
const hostOf = (of = db) => createHosts({ cellar: { kind: 'libvirt', connect: libvirt.connect, scratch } }).of(of)!;
const state = async () => (await libvirt.virsh('domstate', 'db')).trim();

beforeAll(async () => {
  libvirt = await Libvirt.start();
  scratch = join(libvirt.folder, 'scratch');
  await mkdir(scratch);
  await libvirt.own(scratch);
  const disk = join(libvirt.folder, 'os.img');
  await makeGuestDisk(disk);
  await libvirt.startDomain('db', { path: await libvirt.own(disk), format: 'raw' });
});
afterAll(() => libvirt.stop());

test('a domain is described as libvirt has it, its disks by the ids of the inventory', async () => {
  const described = { power: 'on', nicConnected: true, disks: [{ id: 'os', sizeBytes: 2 ** 20 }] };
  expect(await hostOf().inspect(db)).toEqual(described);
});

test('its network interface loses its link and gets it back', async () => {
  for (const connected of [false, false, true]) {
    await hostOf().setNic(db, connected);
    expect(await hostOf().inspect(db)).toMatchObject({ power: 'on', nicConnected: connected });
    expect(await libvirt.virsh('domif-getlink', 'db', '52:54:00:00:00:01')).toContain(connected ? 'up' : 'down');
  }
});

test('a frozen disk stays as it was while the guest writes on, until it is released', async () => {
  const snapshots = hostOf().snapshots!;
  const read = async ({ at }: FrozenDisk): Promise<Buffer> => {
    const uri = 'nbd' in at ? at.nbd : '';
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', uri, join(libvirt.folder, 'copy')]);
    return readFile(join(libvirt.folder, 'copy'));
  };
  const counts: number[] = [];
  for (const name of ['first', 'second']) {
    const [os] = await snapshots.take(db, name);
    expect(await snapshots.take(db, name)).toEqual([os]);
    await expect(snapshots.take(db, 'other')).rejects.toMatchObject({ failure: { code: 'conflict' } });
    const before = await read(os!);
    counts.push(countOn(before));
    await until(
      async () => Number(/Temporary disk space use:\s+([\d.]+)/.exec(await libvirt.virsh('domjobinfo', 'db'))?.[1]) > 0,
    );
    expect((await read(os!)).equals(before)).toBe(true);
    await snapshots.release(db, name);
    await snapshots.release(db, name);
  }
  expect(counts[1]).toBeGreaterThan(counts[0]!);
  expect(await readdir(scratch)).toEqual([]);
});

test('it goes off when its guest heeds the power button, stays disconnected while it is off, and comes back', async () => {
  await hostOf().shutDown(db);
  await until(async () => (await hostOf().inspect(db)).power === 'off');
  expect(await state()).toBe('shut off');
  await hostOf().shutDown(db);
  await hostOf().powerOff(db);
  await hostOf().setNic(db, false);
  expect(await hostOf().inspect(db)).toMatchObject({ power: 'off', nicConnected: false });
  await hostOf().setNic(db, true);
  await hostOf().powerOn(db);
  await hostOf().powerOn(db);
  expect(await hostOf().inspect(db)).toMatchObject({ power: 'on', nicConnected: true });
  await hostOf().powerOff(db);
  expect(await state()).toBe('shut off');
});

test('an unknown domain fails for good, a daemon that is away is tried again', async () => {
  const nobody = { ...db, host: { ...db.host, domain: 'nobody' } as typeof db.host };
  await expect(hostOf(nobody).inspect(nobody)).rejects.toMatchObject({
    failure: { code: 'sourceUnreachable', kind: 'terminal', message: expect.stringMatching(/nobody/) as string },
  });
  const away = createHosts({ cellar: { kind: 'libvirt', connect: 'qemu+unix:///session?socket=/nowhere' } }).of(db)!;
  await expect(away.inspect(db)).rejects.toMatchObject({ failure: { code: 'sourceUnreachable', kind: 'transient' } });
});
