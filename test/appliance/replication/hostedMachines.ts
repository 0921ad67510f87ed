// Machines of real hypervisors, whose disks are frozen as Landfall's own hosts do it. Beside what a guest writes by itself,
// the test writes through the disk that the guest has.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { FrozenDisk, Host } from '../../../shared/hosts/contract.ts';
import { createHosts } from '../../../shared/hosts/hosts.ts';
import { withQmp } from '../../../shared/hosts/qemu/qmp.ts';
import type { Source } from '../../../shared/model/source.ts';
import { source } from '../../fakes/definitions.ts';
import { Libvirt } from '../../shared/hosts/libvirt/daemon.ts';
import { startQemu, stopQemu } from '../../shared/hosts/qemu/process.ts';
import { run } from '../nbd/servers.ts';
import type { Machine, Readable, Write } from './machines.ts';

const disks = [{ id: 'os', path: '/dev/vda', sizeBytes: 2 ** 20, boot: true, atHost: 'vda' }];

/** A QEMU process whose qcow2 disk keeps dirty bitmaps, also from one process to the next. */
export async function qemuProcess(folder: string, disk: string): Promise<Machine> {
  const image = join(folder, 'live.qcow2');
  const scratch = join(folder, 'scratch');
  mkdirSync(scratch);
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', disk, image);
  const at = source('db-01', { host: { kind: 'qemu', connection: 'cellar', machine: 'db' }, disks });
  const host = createHosts({ cellar: { kind: 'qemu', sockets: folder, scratch } }).of(at)!;
  const socket = join(folder, 'db.qmp');
  const start = () => startQemu(folder, 'db', [{ id: 'vda', format: 'qcow2', path: image }]);
  let child = await start();
  const frozen = frozenBy(host, at);
  return {
    tracks: true,
    write: (writes) =>
      withQmp(socket, async (qmp) => {
        const [{ qdev = '' } = {}] = await qmp.execute('query-block', {}, Blocks);
        for (const write of writes) {
          const line = { 'command-line': monitorCommand(qdev, write) };
          complain(await qmp.execute('human-monitor-command', line, z.string()));
        }
      }),
    freeze: frozen.take,
    async open(syncId, since) {
      await host.powerOff(at);
      return frozen.take(syncId, since);
    },
    async restart() {
      const ended = once(child, 'exit');
      await withQmp(socket, (qmp) => qmp.execute('quit'));
      await ended;
      child = await start();
    },
    async crash() {
      await stopQemu(child);
      child = await start();
    },
    stop: () => stopQemu(child),
  };
}

/** A domain of libvirt, which tells of no changes. */
export async function domain(disk: string): Promise<Machine> {
  const libvirt = await Libvirt.start();
  const scratch = join(libvirt.folder, 'scratch');
  mkdirSync(scratch);
  await libvirt.own(scratch);
  const live = join(libvirt.folder, 'live.img');
  await copyFile(disk, live);
  await libvirt.startDomain('db', { path: await libvirt.own(live), format: 'raw' });
  const at = source('db-01', { host: { kind: 'libvirt', connection: 'cellar', domain: 'db' }, disks });
  const host = createHosts({ cellar: { kind: 'libvirt', connect: libvirt.connect, scratch } }).of(at)!;
  return {
    tracks: false,
    async write(writes) {
      for (const write of writes) {
        const line = monitorCommand('/machine/peripheral/virtio-disk0/virtio-backend', write);
        complain(await libvirt.virsh('qemu-monitor-command', '--hmp', 'db', line));
      }
    },
    freeze: frozenBy(host, at).take,
    async open() {
      await host.powerOff(at);
      return { path: live, image: live, format: 'raw', close: async () => {} };
    },
    stop: () => libvirt.stop(),
  };
}

/** Frozen copies of the only disk, with the marks of those that were taken. */
function frozenBy(host: Host, at: Source) {
  const marks = new Map<string, string>();
  return {
    async take(syncId: string, since?: string): Promise<Readable> {
      const mark = since === undefined ? undefined : marks.get(since);
      const [disk] = await host.snapshots!.take(at, syncId, mark === undefined ? {} : { os: mark });
      const { at: where, changed, mark: next } = disk as FrozenDisk;
      if (next !== undefined) marks.set(syncId, next);
      const path = 'nbd' in where ? where.nbd : '';
      return {
        ...{ path, image: path, format: 'raw' },
        ...(changed && 'context' in changed && { changed: changed.context }),
        close: () => host.snapshots!.release(at, syncId),
      };
    },
  };
}

const Blocks = z.array(z.looseObject({ qdev: z.string() }));

/** Writes where the guest does, before everything that watches its writes: https://www.qemu.org/docs/master/system/monitor.html */
function monitorCommand(qdev: string, { at, length, value }: Write): string {
  const write = value === 0 ? `write -z ${at} ${length}` : `write -P ${value} ${at} ${length}`;
  return `qemu-io -d ${qdev} "${write}"`;
}

/** What the monitor says is a complaint; what was written goes to QEMU's own output. */
function complain(said: string): void {
  if (said.trim() !== '') throw new Error(`QEMU did not write: ${said}`);
}
