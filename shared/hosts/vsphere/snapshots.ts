// Snapshots of virtual machines, and what changed block tracking knows of them.
// https://developer.broadcom.com/xapis/virtual-infrastructure-json-api/latest/sdk/vim25/release/VirtualMachine/moId/QueryChangedDiskAreas/post/
import { z } from 'zod';
import type { Source } from '../../model/source.ts';
import type { VsphereConnection } from '../connections.ts';
import type { Area, FrozenDisk, Snapshots } from '../contract.ts';
import type { Vcenter } from './client.ts';
import { inVcenter } from './failures.ts';
import { Reference, referenceTo, runTask } from './vim.ts';
import { idOf, vmOf } from './machine.ts';

/** Tells ours from everybody else's: only these are ever removed. */
const description = 'taken by Landfall';

interface Tree {
  snapshot: { value: string };
  name: string;
  description: string;
  childSnapshotList?: Tree[] | undefined;
}
const Tree: z.ZodType<Tree> = z.looseObject({
  snapshot: Reference,
  name: z.string(),
  description: z.string(),
  childSnapshotList: z.array(z.lazy(() => Tree)).optional(),
});
const SnapshotInfo = z.looseObject({ rootSnapshotList: z.array(Tree).default([]) }).optional();
const Config = z.looseObject({
  changeTrackingEnabled: z.boolean().default(false),
  hardware: z.looseObject({
    device: z.array(
      z.looseObject({
        _typeName: z.string(),
        key: z.int(),
        capacityInBytes: z.int().optional(),
        backing: z.looseObject({ fileName: z.string().optional(), changeId: z.string().optional() }).optional(),
      }),
    ),
  }),
});
const Changes = z.looseObject({
  startOffset: z.int(),
  length: z.int(),
  changedArea: z.array(z.looseObject({ start: z.int(), length: z.int() })).default([]),
});

export function vsphereSnapshots({ url }: VsphereConnection, vcenter: Vcenter): Snapshots {
  const ours = async (vm: string, name: string): Promise<string[]> => {
    const info = await vcenter.vim('GET', `/VirtualMachine/${vm}/snapshot`, SnapshotInfo);
    return flat(info?.rootSnapshotList ?? []).flatMap((one) =>
      one.name === name && one.description === description ? [one.snapshot.value] : [],
    );
  };
  return {
    take: (source, name, since = {}) =>
      inVcenter(url, vmOf(source), async () => {
        const vm = vmOf(source);
        const [known] = await ours(vm, name);
        const snapshot = known ?? (await create(vcenter, vm, name));
        return frozenDisks(vcenter, source, snapshot, since);
      }),
    release: (source, name) =>
      inVcenter(url, vmOf(source), async () => {
        // Whose answer was lost may have been taken twice.
        for (const snapshot of await ours(vmOf(source), name))
          await runTask(vcenter, `/VirtualMachineSnapshot/${snapshot}/RemoveSnapshot_Task`, {
            removeChildren: false,
            consolidate: true,
          });
      }),
  };
}

async function create(vcenter: Vcenter, vm: string, name: string): Promise<string> {
  const body = { name, description, memory: false, quiesce: false };
  return Reference.parse(await runTask(vcenter, `/VirtualMachine/${vm}/CreateSnapshot_Task`, body)).value;
}

async function frozenDisks(
  vcenter: Vcenter,
  source: Source,
  snapshot: string,
  since: Readonly<Record<string, string>>,
): Promise<FrozenDisk[]> {
  const { hardware } = await vcenter.vim('GET', `/VirtualMachineSnapshot/${snapshot}/config`, Config);
  const frozen: FrozenDisk[] = [];
  for (const { _typeName: type, key, capacityInBytes = 0, backing } of hardware.device) {
    const id = idOf(source, String(key));
    if (type !== 'VirtualDisk' || !source.disks.some((disk) => disk.id === id)) continue;
    const [mark, before] = [backing?.changeId, since[id]];
    const at = { vddk: { vm: vmOf(source), snapshot, file: backing?.fileName ?? '' } };
    const isKnown = mark !== undefined && before !== undefined;
    const disk = { vm: vmOf(source), snapshot, key, sizeBytes: capacityInBytes };
    const changed = isKnown ? { changed: { areas: await changedAreas(vcenter, disk, before) } } : {};
    frozen.push({ id, at, ...changed, ...(mark === undefined ? {} : { mark }) });
  }
  return frozen;
}

/** All areas that have changed since a mark: vCenter answers for a part of the disk at a time. */
async function changedAreas(
  vcenter: Vcenter,
  { vm, snapshot, key, sizeBytes }: { vm: string; snapshot: string; key: number; sizeBytes: number },
  changeId: string,
): Promise<Area[]> {
  const areas: Area[] = [];
  for (let startOffset = 0; startOffset < sizeBytes; ) {
    const body = { snapshot: referenceTo('VirtualMachineSnapshot', snapshot), deviceKey: key, startOffset, changeId };
    const answer = await vcenter.vim('POST', `/VirtualMachine/${vm}/QueryChangedDiskAreas`, Changes, body);
    areas.push(...answer.changedArea.map(({ start, length }) => ({ start, length })));
    // An answer about nothing would never come to an end.
    if (answer.length <= 0) break;
    startOffset = answer.startOffset + answer.length;
  }
  return areas;
}

function flat(trees: readonly Tree[]): Tree[] {
  return trees.flatMap((tree) => [tree, ...flat(tree.childSnapshotList ?? [])]);
}
