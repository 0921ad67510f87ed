// What all of Microsoft.Compute knows of a disk: its types, its content's id, its state, and who may attach it.
import type { Kernel } from '../contract.ts';
import { conflict, notFound } from '../http/errors.ts';
import { keyOf, lastName } from '../ids.ts';
import { part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { provisioning } from './common.ts';

export const diskType = 'Microsoft.Compute/disks';
export const snapshotType = 'Microsoft.Compute/snapshots';

export const uniqueId = (disk: Resource): string => text(part(disk.body, 'properties'), 'uniqueId') ?? '';

export const stateOf = (disk: Resource): string => text(part(disk.body, 'properties'), 'diskState') ?? '';

/** The disk that a machine refers to: it must exist, be whole, and belong to nobody else. */
export function attachable(kernel: Kernel, diskId: string, machineId: string): Resource {
  const disk = kernel.store.get(diskId);
  if (!disk || provisioning(disk) === 'Deleting') throw notFound(`Disk ${lastName(diskId)} is not found.`);
  const owner = text(disk.body, 'managedBy');
  if (owner && keyOf(owner) !== keyOf(machineId)) {
    throw conflict(
      'ConflictingUserInput',
      `Disk '${disk.id}' cannot be attached as the disk is already owned by VM '${owner}'.`,
    );
  }
  if (provisioning(disk) !== 'Succeeded')
    throw conflict('OperationNotAllowed', `Disk '${disk.id}' is not ready: ${provisioning(disk)}.`);
  if (stateOf(disk) === 'ActiveSAS')
    throw conflict('OperationNotAllowed', `Disk '${disk.id}' has an active shared access signature.`);
  return disk;
}
