// Reaching one QEMU process, and what it says about itself. What it does not remember (a link that is down, power that was
// cut) is kept in the process itself, as an object of our name: it ends with the process, as what it stands for does.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { type MigrationError, terminal, transient } from '../../errors.ts';
import type { Source } from '../../model/source.ts';
import type { QemuConnection } from '../connections.ts';
import { type Qmp, type QmpGone, QmpRefusal, QmpSilence, withQmp } from './qmp.ts';

export const marks = {
  unplugged: 'landfall-unplugged',
  powerCut: 'landfall-power-cut',
  showsDisks: 'landfall-shows-disks',
} as const;
type Mark = (typeof marks)[keyof typeof marks];

const Blocks = z.array(
  z.looseObject({
    device: z.string(),
    qdev: z.string().optional(),
    removable: z.boolean(),
    inserted: z
      .looseObject({
        'node-name': z.string().optional(),
        drv: z.string(),
        image: z.looseObject({ 'virtual-size': z.int().nonnegative() }),
      })
      .optional(),
  }),
);
const Objects = z.array(z.looseObject({ name: z.string(), type: z.string() }));
const Status = z.looseObject({ status: z.string() });

export interface QemuDisk {
  /** As the inventory calls it, if it does. */
  id: string;
  node: string;
  sizeBytes: number;
}

/** Talks to the machine of a source; turns what QEMU says into what people can act on, apart from `QmpGone`. */
export async function withMachine<T>(
  { sockets }: QemuConnection,
  source: Source,
  talk: (qmp: Qmp) => Promise<T>,
): Promise<T> {
  const machine = machineOf(source);
  try {
    return await withQmp(join(sockets, `${machine}.qmp`), talk);
  } catch (error) {
    if (error instanceof QmpRefusal)
      throw terminal(
        'sourceUnreachable',
        `The QEMU of ${machine} refused what it was asked: ${error.message}.`,
        'Check the inventory against how the machine was started.',
      );
    if (error instanceof QmpSilence)
      throw transient(
        'sourceUnreachable',
        `The QEMU of ${machine} did not do what it was asked: ${error.message}.`,
        'Look whether another client holds its QMP socket; it is tried again.',
      );
    throw error;
  }
}

/** A process that has ended cannot be started by anybody but who started it. */
export function endedOf(source: Source, error: QmpGone): MigrationError {
  return terminal(
    'sourceUnreachable',
    `The QEMU of ${machineOf(source)} has ended: ${error.message}.`,
    'Start it as it was started before, then retry. Started with -no-shutdown it stays and is powered on by Landfall.',
  );
}

function machineOf({ id, host }: Source): string {
  if (host.kind === 'qemu') return host.machine;
  throw terminal('invalidInput', `The source "${id}" is no QEMU process.`, 'Use the implementation for its kind.');
}

/** `off`: the guest has powered off, or its power was cut by us. Whatever else stops it may be let go on by anybody. */
export async function powerOf(qmp: Qmp): Promise<'on' | 'off'> {
  const { status } = await qmp.execute('query-status', {}, Status);
  if (status === 'shutdown') return 'off';
  return status === 'paused' && (await isMarked(qmp, marks.powerCut)) ? 'off' : 'on';
}

export async function isMarked(qmp: Qmp, mark: Mark): Promise<boolean> {
  const objects = await qmp.execute('qom-list', { path: '/objects' }, Objects);
  return objects.some(({ name }) => name === mark);
}

/** Sets or takes a mark away; whether that changed anything. */
export async function setMark(qmp: Qmp, mark: Mark, wanted: boolean): Promise<boolean> {
  if ((await isMarked(qmp, mark)) === wanted) return false;
  if (wanted) await qmp.execute('object-add', { 'qom-type': 'secret', id: mark, data: 'by Landfall' });
  else await qmp.execute('object-del', { id: mark });
  return true;
}

/** The names of its network interfaces. No other command lists those of every model. */
export async function nicsOf(qmp: Qmp): Promise<string[]> {
  const text = await qmp.execute('human-monitor-command', { 'command-line': 'info network' }, z.string());
  return [...new Set([...text.matchAll(/^[\s\\]*(\S+): index=\d+,type=nic,/gm)].map(([, name = '']) => name))];
}

/** Its disks, without removable media. */
export async function disksOf(qmp: Qmp, source: Source): Promise<QemuDisk[]> {
  const blocks = await qmp.execute('query-block', {}, Blocks);
  return blocks.flatMap(({ device, qdev, removable, inserted }) => {
    if (removable || inserted === undefined) return [];
    const { 'node-name': node = device, image } = inserted;
    const names = [node, device, ...(qdev?.split('/') ?? [])];
    const listed = source.disks.find(({ id, atHost = id }) => names.includes(atHost) || node === topOf(source, id));
    const id = listed?.id ?? names.find((name) => name !== '' && !name.startsWith('#')) ?? node;
    return [{ id, node, sizeBytes: image['virtual-size'] }];
  });
}

/** What stands before a disk while a snapshot of it is held; names of nodes have at most 31 characters. */
export const topOf = ({ id }: Source, diskId: string): string => `lf-top-${short(`${id} ${diskId}`)}`;

export function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
