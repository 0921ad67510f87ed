import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { terminal } from '../../errors.ts';
import type { Source } from '../../model/source.ts';
import type { QemuConnection } from '../connections.ts';
import type { Snapshots } from '../contract.ts';
import { freeze, isChangeKnown, isFrozen, letGo, type Part, type Whole } from './fleece.ts';
import { disksOf, endedOf, type QemuDisk, short, topOf, withMachine } from './machine.ts';
import { type Qmp, QmpGone } from './qmp.ts';

const ours = 'landfall.';
const Exports = z.array(z.looseObject({ id: z.string() }));

/** Snapshots of the machines behind the sockets of one folder. QEMU writes to `scratch`, the app deletes there. */
export function qemuSnapshots(connection: QemuConnection, scratch: string): Snapshots {
  const socketOf = ({ id }: Source): string => join(scratch, `landfall-${short(id)}.nbd`);

  const partsOf = (source: Source, name: string): Part[] =>
    source.disks.map(({ id }) => ({ diskId: id, ...namesOf(scratch, source, name, id) }));

  return {
    async take(source, name, since = {}) {
      try {
        return await withMachine(connection, source, async (qmp) => {
          await refuseOthers(qmp, source, name);
          const parts = partsOf(source, name);
          if (!(await isFrozen(qmp, parts))) {
            await letGo(qmp, parts);
            const disks = withDisks(source, parts, await disksOf(qmp, source), since);
            await freeze(qmp, disks, socketOf(source));
          }
          const isKnown = await isChangeKnown(qmp, parts);
          return parts.map(({ diskId, changed, bitmap }) => ({
            id: diskId,
            at: { nbd: `nbd+unix:///${diskId}?socket=${socketOf(source)}` },
            ...(isKnown ? { changed: { context: `qemu:dirty-bitmap:${changed}` } } : {}),
            mark: bitmap,
          }));
        });
      } catch (error) {
        throw error instanceof QmpGone ? endedOf(source, error) : error;
      }
    },
    async release(source, name) {
      try {
        await withMachine(connection, source, (qmp) => letGo(qmp, partsOf(source, name)));
      } catch (error) {
        // With the process went everything but its files.
        if (!(error instanceof QmpGone)) throw error;
        await rm(socketOf(source), { force: true });
      }
      for (const { path } of partsOf(source, name)) await rm(path, { force: true });
    },
  };
}

function namesOf(scratch: string, source: Source, name: string, diskId: string) {
  const key = short(`${source.id} ${name} ${diskId}`);
  return {
    id: `${ours}${name}.${diskId}`,
    image: `lf-${key}`,
    file: `lf-${key}-file`,
    path: join(scratch, `landfall-${key}.qcow2`),
    bitmap: `${ours}${name}`,
    changed: `lf-${key}-changed`,
    top: topOf(source, diskId),
  };
}

function withDisks(
  source: Source,
  parts: readonly Part[],
  disks: readonly QemuDisk[],
  since: Readonly<Record<string, string>>,
): Whole[] {
  return parts.map((part) => {
    const disk = disks.find(({ id }) => id === part.diskId);
    if (disk !== undefined) return { ...part, node: disk.node, sizeBytes: disk.sizeBytes, since: since[part.diskId] };
    throw terminal(
      'sourceUnreachable',
      `The QEMU of ${source.id} has no disk "${part.diskId}".`,
      'Correct the disk’s id in the inventory, or say in its atHost what QEMU calls it.',
    );
  });
}

/** Two that are held at once would share one server, and each would slow the guest's writes. */
async function refuseOthers(qmp: Qmp, source: Source, name: string): Promise<void> {
  const exports = await qmp.execute('query-block-exports', {}, Exports);
  const other = exports.find(({ id }) => id.startsWith(ours) && !id.startsWith(`${ours}${name}.`));
  if (other === undefined) return;
  const held = other.id.slice(ours.length);
  throw terminal('conflict', `Another snapshot of ${source.id} is held: ${held}.`, 'Release it, then retry.');
}
