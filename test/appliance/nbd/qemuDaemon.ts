// QEMU's block layer as a process: a disk that is written through NBD, frozen copies of it by fleecing, and persistent dirty
// bitmaps that tell what has changed between them. https://www.qemu.org/docs/master/interop/bitmaps.html
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Qmp } from './qmp.ts';
import { accepts, run, type Served, serve } from './servers.ts';

export interface QemuDaemon {
  /** NBD URI of the disk as it is, to be written. */
  live: string;
  /** Path of the control socket. */
  control: string;
  /** Where what is overwritten of frozen copies is kept. */
  scratch: string;
}

/** Serves a qcow2 image. */
export async function qemuDaemon(folder: string, image: string): Promise<QemuDaemon & Served> {
  const [control, nbd] = [join(folder, 'control'), join(folder, 'nbd')];
  for (const socket of [control, nbd]) rmSync(socket, { force: true });
  const served = await serve(
    'qemu-storage-daemon',
    [
      `--blockdev=driver=qcow2,node-name=disk,file.driver=file,file.filename=${image}`,
      `--nbd-server=addr.type=unix,addr.path=${nbd},max-connections=20`,
      '--export=type=nbd,id=live,node-name=disk,name=live,writable=on',
      `--chardev=socket,id=control,path=${control},server=on,wait=off`,
      '--monitor=chardev=control',
    ],
    accepts({ path: nbd }),
  );
  return { ...served, control, scratch: folder, live: `nbd+unix:///live?socket=${nbd}` };
}

export interface FrozenCopy {
  uri: string;
  /** The metadata context of what has changed since. */
  changed?: string;
}

/** Freezes a copy under the name of a sync and begins a bitmap; tells what has changed since the copy of another sync. */
export async function takeFrozen(daemon: QemuDaemon, syncId: string, since?: string): Promise<FrozenCopy> {
  return withQmp(daemon, async (qmp) => {
    const { size, bitmaps } = await diskOf(qmp);
    const file = join(daemon.scratch, `${syncId}.qcow2`);
    run('qemu-img', 'create', '-q', '-f', 'qcow2', file, String(size));
    const layer = { driver: 'file', filename: file };
    await qmp.execute('blockdev-add', { driver: 'qcow2', 'node-name': syncId, backing: 'disk', file: layer });
    const isKnown = since !== undefined && bitmaps.includes(since);
    const told = `${syncId}-changed`;
    const known = [
      { type: 'block-dirty-bitmap-add', data: { node: 'disk', name: told, disabled: true } },
      { type: 'block-dirty-bitmap-merge', data: { node: 'disk', target: told, bitmaps: [since] } },
    ];
    await qmp.execute('transaction', {
      actions: [
        ...(isKnown ? known : []),
        { type: 'block-dirty-bitmap-add', data: { node: 'disk', name: syncId, persistent: true } },
        { type: 'blockdev-backup', data: { 'job-id': syncId, device: 'disk', target: syncId, sync: 'none' } },
      ],
    });
    const shown = isKnown ? [{ node: 'disk', name: told }] : [];
    await qmp.execute('block-export-add', {
      type: 'nbd',
      id: syncId,
      'node-name': syncId,
      name: syncId,
      bitmaps: shown,
    });
    const uri = daemon.live.replace('/live?', `/${syncId}?`);
    return { uri, ...(isKnown && { changed: `qemu:dirty-bitmap:${told}` }) };
  });
}

/** Lets a frozen copy go; the bitmap that began with it stays. */
export async function releaseFrozen(daemon: QemuDaemon, syncId: string): Promise<void> {
  await withQmp(daemon, async (qmp) => {
    await qmp.execute('block-export-del', { id: syncId, mode: 'hard' });
    await qmp.gone('query-block-exports', syncId);
    await qmp.execute('block-job-cancel', { device: syncId });
    await qmp.gone('query-jobs', syncId);
    await qmp.execute('blockdev-del', { 'node-name': syncId });
    const told = `${syncId}-changed`;
    if ((await diskOf(qmp)).bitmaps.includes(told)) await removeBitmap(qmp, told);
  });
}

/** Loses a bitmap, as a disk does that was put back from an older copy. */
export async function loseBitmap(daemon: QemuDaemon, name: string): Promise<void> {
  await withQmp(daemon, (qmp) => removeBitmap(qmp, name));
}

async function removeBitmap(qmp: Qmp, name: string): Promise<void> {
  await qmp.execute('block-dirty-bitmap-remove', { node: 'disk', name });
}

const Nodes = z.array(
  z.object({
    'node-name': z.string(),
    image: z.object({ 'virtual-size': z.number() }),
    'dirty-bitmaps': z.array(z.object({ name: z.string() })).default([]),
  }),
);

async function diskOf(qmp: Qmp): Promise<{ size: number; bitmaps: string[] }> {
  const nodes = Nodes.parse(await qmp.execute('query-named-block-nodes'));
  const disk = nodes.find((node) => node['node-name'] === 'disk');
  if (!disk) throw new Error('there is no disk');
  return { size: disk.image['virtual-size'], bitmaps: disk['dirty-bitmaps'].map(({ name }) => name) };
}

async function withQmp<T>({ control }: Pick<QemuDaemon, 'control'>, work: (qmp: Qmp) => Promise<T>): Promise<T> {
  const qmp = await Qmp.open(control);
  try {
    return await work(qmp);
  } finally {
    qmp.close();
  }
}
