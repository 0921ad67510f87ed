// Machines whose disks are replicated while they write: each kind keeps its disk in its own way, can freeze a copy of it,
// and lets QEMU judge whether a staging blob is equal to it.
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nbdkit, qemuNbd, run, type Served } from '../nbd/servers.ts';
import { type QemuDaemon, qemuDaemon, releaseFrozen, takeFrozen } from '../nbd/qemuDaemon.ts';
import { domain, qemuProcess } from './hostedMachines.ts';

export interface Write {
  at: number;
  length: number;
  value: number;
}

/** A disk as it was at one moment, or as it stays once nobody writes. */
export interface Readable {
  /** Where the appliance reads it. */
  path: string;
  changed?: string;
  /** The same for qemu-img. */
  image: string;
  format: string;
  close(): Promise<void>;
}

export interface Machine {
  /** Whether its frozen copies tell what has changed. */
  tracks: boolean;
  write(writes: readonly Write[]): Promise<void>;
  /** Freezes the disk for a sync. */
  freeze(syncId: string, since?: string): Promise<Readable>;
  /** The disk after the machine's last write, for a final sync. */
  open(syncId: string, since?: string): Promise<Readable>;
  /** Ends in order and starts again. */
  restart?(): Promise<void>;
  /** Is killed and starts again: nobody knows any more what has changed. */
  crash?(): Promise<void>;
  stop(): Promise<void>;
}

export type Kind = 'raw' | 'block' | 'nbdkit' | 'qcow2' | 'vmdk' | 'vhdx' | 'qemu' | 'machine' | 'domain';

/** Makes a machine of a raw disk image. */
export async function machineOf(kind: Kind, folder: string, disk: string): Promise<Machine> {
  mkdirSync(folder, { recursive: true });
  if (kind === 'raw' || kind === 'block' || kind === 'nbdkit') return rawMachine(folder, disk, kind);
  if (kind === 'qemu') return qemuMachine(folder, disk);
  if (kind === 'machine') return qemuProcess(folder, disk);
  if (kind === 'domain') return domain(disk);
  return imageMachine(folder, disk, kind);
}

function rawMachine(folder: string, disk: string, kind: 'raw' | 'block' | 'nbdkit'): Machine {
  const live = join(folder, 'live.img');
  copyFileSync(disk, live);
  const show = async (image: string, name: string): Promise<Readable> => {
    const as = { image, format: 'raw' };
    if (kind === 'raw') return { ...as, path: image, close: async () => {} };
    if (kind === 'block') {
      const path = run('losetup', '--find', '--show', '--read-only', image).trim();
      return { ...as, path, close: async () => void run('losetup', '--detach', path) };
    }
    const { uri, stop } = await nbdkit(join(folder, `${name}.sock`), 'file', image);
    return { ...as, path: uri, close: stop };
  };
  return {
    tracks: false,
    async write(writes) {
      const file = openSync(live, 'r+');
      for (const { at, length, value } of writes) writeSync(file, Buffer.alloc(length, value), 0, length, at);
      closeSync(file);
    },
    freeze(syncId) {
      const copy = join(folder, `${syncId}.img`);
      copyFileSync(live, copy);
      return show(copy, syncId);
    },
    open: () => show(live, 'live'),
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

const qemuIo = promisify(execFile);
const commands = (writes: readonly Write[]): string[] =>
  writes.flatMap(({ at, length, value }) => [
    '-c',
    value === 0 ? `write -z ${at} ${length}` : `write -P ${value} ${at} ${length}`,
  ]);

function imageMachine(folder: string, disk: string, format: string): Machine {
  const live = join(folder, `live.${format}`);
  run('qemu-img', 'convert', '-f', 'raw', '-O', format, disk, live);
  const show = async (image: string, name: string): Promise<Readable> => {
    const { uri, stop } = await qemuNbd(join(folder, `${name}.sock`), image, `--format=${format}`);
    return { path: uri, image, format, close: stop };
  };
  return {
    tracks: false,
    write: async (writes) => void (await qemuIo('qemu-io', ['-f', format, ...commands(writes), live])),
    freeze(syncId) {
      const copy = join(folder, `${syncId}.${format}`);
      copyFileSync(live, copy);
      return show(copy, syncId);
    },
    open: () => show(live, 'live'),
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function qemuMachine(folder: string, disk: string): Promise<Machine> {
  const image = join(folder, 'live.qcow2');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', disk, image);
  const daemon: QemuDaemon & Served = await qemuDaemon(folder, image);
  return {
    tracks: true,
    write: async (writes) => void (await qemuIo('qemu-io', ['-f', 'raw', ...commands(writes), daemon.live])),
    async freeze(syncId, since) {
      const { uri, changed } = await takeFrozen(daemon, syncId, since);
      return {
        ...{ path: uri, image: uri, format: 'raw' },
        ...(changed !== undefined && { changed }),
        close: () => releaseFrozen(daemon, syncId),
      };
    },
    open: async () => ({ path: daemon.live, image: daemon.live, format: 'raw', close: async () => {} }),
    async stop() {
      await daemon.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What qemu-img says of a staging blob beside a disk; status 0 if they are equal to the last byte. */
export function compareImages(vhd: string, { image, format }: Pick<Readable, 'image' | 'format'>) {
  const { status, stdout, stderr } = spawnSync('qemu-img', ['compare', '-U', '-f', 'vpc', '-F', format, vhd, image], {
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}
