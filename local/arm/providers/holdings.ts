// What a machine holds: its disks and interfaces name it as their owner for as long as it does.
import type { Kernel } from '../contract.ts';
import { items, type Json, part, text } from '../json.ts';
import type { Resource } from '../store.ts';

interface Held {
  readonly id: string;
  readonly kind: 'disk' | 'interface';
  readonly deleteOption: string | undefined;
}

export function heldBy(machine: Resource): Held[] {
  const properties = part(machine.body, 'properties');
  const storage = part(properties, 'storageProfile');
  const disks = [part(storage, 'osDisk'), ...items(storage, 'dataDisks')].map(
    (disk): Held => ({
      id: text(part(disk, 'managedDisk'), 'id') ?? '',
      kind: 'disk',
      deleteOption: text(disk, 'deleteOption'),
    }),
  );
  const interfaces = items(part(properties, 'networkProfile'), 'networkInterfaces').map(
    (nic): Held => ({
      id: text(nic, 'id') ?? '',
      kind: 'interface',
      deleteOption: text(part(nic, 'properties'), 'deleteOption'),
    }),
  );
  return [...disks, ...interfaces];
}

export function hold(kernel: Kernel, machine: Resource): void {
  for (const { id, kind } of heldBy(machine)) {
    if (kind === 'interface') kernel.store.change(id, { virtualMachine: { id: machine.id } });
    else own(kernel, id, machine.id);
  }
}

export function release(kernel: Kernel, machine: Resource): void {
  for (const { id, kind } of heldBy(machine)) {
    if (kind === 'interface') kernel.store.change(id, { virtualMachine: undefined });
    else own(kernel, id, undefined);
  }
}

/** Removes the machine and what was to be deleted with it, and frees the rest. */
export function removeMachine(kernel: Kernel, machine: Resource): void {
  release(kernel, machine);
  for (const { id, deleteOption } of heldBy(machine)) if (deleteOption === 'Delete') kernel.store.remove(id);
  kernel.store.remove(machine.id);
}

function own(kernel: Kernel, diskId: string, machineId: string | undefined): void {
  const disk = kernel.store.get(diskId);
  if (!disk) return;
  const { managedBy: _, ...body } = disk.body;
  const properties: Json = { ...part(body, 'properties'), diskState: machineId ? 'Attached' : 'Unattached' };
  kernel.store.put(disk.id, disk.type, { ...body, ...(machineId && { managedBy: machineId }), properties });
}
