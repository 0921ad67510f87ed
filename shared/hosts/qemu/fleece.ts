// Disks of a running QEMU, frozen by fleecing: what the guest overwrites is copied to a scratch image first, and the frozen
// disk is shown by QEMU's own NBD server. https://www.qemu.org/docs/master/interop/live-block-operations.html
// Dirty bitmaps tell what has changed since an earlier freeze: https://www.qemu.org/docs/master/interop/bitmaps.html
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { marks, setMark } from './machine.ts';
import { type Qmp, QmpSilence } from './qmp.ts';

/** What one freeze makes of one disk. */
export interface Part {
  diskId: string;
  /** Of the export and of the job behind it. */
  id: string;
  /** The frozen disk's node, its file's node, and the file, as QEMU finds it. At most 31 characters for each node. */
  image: string;
  file: string;
  path: string;
  /** Records what changes from this freeze on. */
  bitmap: string;
  /** What has changed until this freeze, since an earlier one. */
  changed: string;
  /** The node that stands before the disk meanwhile, and copies what is overwritten. */
  top: string;
}

/** A part with the disk that it is of. */
export interface Whole extends Part {
  node: string;
  sizeBytes: number;
  /** The bitmap of an earlier freeze: what it knows is kept in `changed`. */
  since: string | undefined;
}

const Named = z.array(z.looseObject({ id: z.string() }));
const Jobs = z.array(z.looseObject({ id: z.string(), status: z.string(), error: z.string().optional() }));
const Bitmap = z.looseObject({
  name: z.string().default(''),
  recording: z.boolean(),
  inconsistent: z.boolean().default(false),
});
const Nodes = z.array(
  z.looseObject({ 'node-name': z.string(), drv: z.string(), 'dirty-bitmaps': z.array(Bitmap).default([]) }),
);

/** Freezes all disks at one moment. */
export async function freeze(qmp: Qmp, parts: readonly Whole[], socket: string): Promise<void> {
  for (const part of parts) await makeScratch(qmp, part);
  const nodes = await nodesOf(qmp);
  const bitmapsOf = ({ node }: Whole) => nodes.get(node)?.['dirty-bitmaps'] ?? [];
  const isKnown = parts.every((part) =>
    bitmapsOf(part).some(({ name, recording, inconsistent }) => name === part.since && recording && !inconsistent),
  );
  const actions = parts.flatMap((part) => {
    const { node, id, image, bitmap, changed, top, since } = part;
    const persistent = nodes.get(node)?.drv === 'qcow2';
    const known = [
      { type: 'block-dirty-bitmap-add', data: { node, name: changed, disabled: true } },
      { type: 'block-dirty-bitmap-merge', data: { node, target: changed, bitmaps: [since] } },
    ];
    // Those of freezes whose copy never came to its end tell nothing.
    const stale = bitmapsOf(part).filter(({ name }) => name.startsWith('landfall.') && name !== since);
    return [
      ...stale.map(({ name }) => ({ type: 'block-dirty-bitmap-remove', data: { node, name } })),
      ...(isKnown ? known : []),
      { type: 'block-dirty-bitmap-add', data: { node, name: bitmap, persistent } },
      {
        type: 'blockdev-backup',
        data: { 'job-id': id, device: node, target: image, sync: 'none', 'filter-node-name': top },
      },
    ];
  });
  await qmp.execute('transaction', { actions });
  await setMark(qmp, marks.showsDisks, true);
  await qmp.execute('nbd-server-start', { addr: { type: 'unix', data: { path: socket } } });
  for (const { id, image, diskId, node, changed } of parts) {
    const bitmaps = isKnown ? [{ node, name: changed }] : [];
    await qmp.execute('block-export-add', { type: 'nbd', id, 'node-name': image, name: diskId, bitmaps });
  }
}

/** Whether a freeze stands, whole. Its exports are what is made last. */
export async function isFrozen(qmp: Qmp, parts: readonly Part[]): Promise<boolean> {
  const exports = await idsOf(qmp, 'query-block-exports');
  return parts.length > 0 && parts.every(({ id }) => exports.has(id));
}

/** Whether a freeze tells what has changed on its disks. */
export async function isChangeKnown(qmp: Qmp, parts: readonly Part[]): Promise<boolean> {
  const names = new Set(
    [...(await nodesOf(qmp)).values()].flatMap((node) => node['dirty-bitmaps'].map(({ name }) => name)),
  );
  return parts.every(({ changed }) => names.has(changed));
}

/** Lets a freeze go, however much of it there is. The bitmap that it began stays, for the next one. */
export async function letGo(qmp: Qmp, parts: readonly Part[]): Promise<void> {
  const ours = new Set(parts.map(({ id }) => id));
  for (const id of await idsOf(qmp, 'query-block-exports'))
    if (ours.has(id)) await qmp.execute('block-export-del', { id, mode: 'hard' });
  await until(async () => [...(await idsOf(qmp, 'query-block-exports'))].every((id) => !ours.has(id)));
  if ((await idsOf(qmp, 'query-block-exports')).size === 0 && (await setMark(qmp, marks.showsDisks, false)))
    await qmp.execute('nbd-server-stop');
  for (const { id } of await jobsOf(qmp, ours)) await qmp.execute('job-cancel', { id });
  await until(async () => (await jobsOf(qmp, ours)).length === 0);
  const nodes = await nodesOf(qmp);
  for (const { image, file, changed } of parts) {
    for (const name of [image, file]) if (nodes.has(name)) await qmp.execute('blockdev-del', { 'node-name': name });
    for (const [node, { 'dirty-bitmaps': bitmaps }] of nodes)
      if (bitmaps.some(({ name }) => name === changed))
        await qmp.execute('block-dirty-bitmap-remove', { node, name: changed });
  }
}

/** An empty image over the disk, for what the guest overwrites. */
async function makeScratch(qmp: Qmp, { id, node, sizeBytes, image, file, path }: Whole): Promise<void> {
  await create(qmp, `${id}.file`, { driver: 'file', filename: path, size: 0 });
  await qmp.execute('blockdev-add', { driver: 'file', 'node-name': file, filename: path });
  await create(qmp, `${id}.image`, { driver: 'qcow2', file, size: sizeBytes });
  await qmp.execute('blockdev-add', { driver: 'qcow2', 'node-name': image, file, backing: node });
}

async function create(qmp: Qmp, id: string, options: object): Promise<void> {
  await qmp.execute('blockdev-create', { 'job-id': id, options });
  let error: string | undefined;
  await until(async () => {
    const job = (await qmp.execute('query-jobs', {}, Jobs)).find((each) => each.id === id);
    error = job?.error;
    return job === undefined || job.status === 'concluded';
  });
  await qmp.execute('job-dismiss', { id });
  if (error !== undefined) throw new QmpSilence(`it cannot make a scratch image: ${error}`);
}

async function jobsOf(qmp: Qmp, ours: ReadonlySet<string>) {
  return (await qmp.execute('query-jobs', {}, Jobs)).filter(({ id }) => ours.has(id));
}

async function idsOf(qmp: Qmp, query: string): Promise<Set<string>> {
  return new Set((await qmp.execute(query, {}, Named)).map(({ id }) => id));
}

async function nodesOf(qmp: Qmp) {
  const nodes = await qmp.execute('query-named-block-nodes', { flat: true }, Nodes);
  return new Map(nodes.map((node) => [node['node-name'], node]));
}

/** What ends by itself, in milliseconds; `withQmp` says when that takes too long. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(10);
}
