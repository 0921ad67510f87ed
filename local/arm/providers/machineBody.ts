// The body of a machine's PUT: its schema, and what it refers to. Everything must exist, be free, and be the caller's.
import { z } from 'zod';
import type { ArmRequest, Kernel } from '../contract.ts';
import { badRequest, conflict, notFound, notSimulated } from '../http/errors.ts';
import { guidOf, keyOf, lastName, sameId } from '../ids.ts';
import { type Json, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { heading, provisioning, reference, tracked } from './common.ts';
import { attachable, diskType } from './diskState.ts';
import { nicType } from './references.ts';

const deleteOption = z.enum(['Delete', 'Detach']).optional();
const disk = {
  name: z.string().optional(),
  createOption: z.string(),
  managedDisk: z.looseObject({ id: z.string().optional() }).optional(),
  deleteOption,
};
export const machineBody = z.looseObject({
  ...tracked,
  identity: z.looseObject({ type: z.string() }).optional(),
  properties: z.looseObject({
    hardwareProfile: z.looseObject({ vmSize: z.string() }),
    storageProfile: z.looseObject({
      imageReference: z.looseObject({ id: z.string().optional() }).optional(),
      osDisk: z.looseObject(disk),
      dataDisks: z.array(z.looseObject({ ...disk, lun: z.number().int().min(0).max(63) })).default([]),
    }),
    osProfile: z
      .looseObject({
        computerName: z.string().optional(),
        customData: z.base64().optional(),
        adminPassword: z.string().optional(),
      })
      .optional(),
    networkProfile: z.looseObject({
      networkInterfaces: z.array(reference.extend({ properties: z.looseObject({ deleteOption }).optional() })).min(1),
    }),
  }),
});
type MachineBody = z.output<typeof machineBody>;

/** Checks the disks and fills in what ARM would: names, and for a registered image a disk of its own. */
export function storageOf(
  kernel: Kernel,
  request: ArmRequest,
  id: string,
  body: MachineBody,
  before: Resource | undefined,
): Json {
  const { osDisk, dataDisks, imageReference, ...rest } = body.properties.storageProfile;
  const known = part(part(before?.body, 'properties'), 'storageProfile');
  const luns = new Set(dataDisks.map(({ lun }) => lun));
  if (luns.size !== dataDisks.length) throw badRequest('InvalidParameter', "A disk at a 'lun' already exists.");
  const data = dataDisks.map((one) => {
    if (one.createOption !== 'Attach')
      throw notSimulated(`A data disk with createOption '${one.createOption}' is not simulated; 'Attach' is.`);
    const disk = attachable(kernel, one.managedDisk?.id ?? '', id);
    return {
      ...one,
      name: lastName(disk.id),
      managedDisk: { ...one.managedDisk, id: disk.id },
      diskSizeGB: part(disk.body, 'properties').diskSizeGB,
    };
  });
  let os: Json;
  if (osDisk.createOption === 'Attach') {
    const disk = attachable(kernel, osDisk.managedDisk?.id ?? '', id);
    os = { osType: 'Linux', ...osDisk, name: lastName(disk.id), managedDisk: { ...osDisk.managedDisk, id: disk.id } };
  } else if (osDisk.createOption === 'FromImage') {
    const image = imageReference?.id ?? '';
    if (!kernel.machines.isImage(image)) {
      throw notSimulated(
        `The image '${image || JSON.stringify(imageReference ?? {})}' is not registered with a process. Attach an imported OS disk, or register the image.`,
      );
    }
    const diskId = imageDisk(kernel, request, id, osDisk.name, String(body.location));
    os = { osType: 'Linux', ...osDisk, name: lastName(diskId), managedDisk: { id: diskId } };
  } else
    throw badRequest(
      'InvalidParameter',
      `The value '${osDisk.createOption}' of parameter 'osDisk.createOption' is invalid.`,
    );
  const earlier = text(part(part(known, 'osDisk'), 'managedDisk'), 'id');
  if (earlier && !sameId(earlier, text(os.managedDisk, 'id') ?? ''))
    throw conflict('PropertyChangeNotAllowed', "Changing property 'osDisk.managedDisk.id' is not allowed.");
  return { ...rest, ...(imageReference && { imageReference }), osDisk: os, dataDisks: data };
}

/** A machine that is a process has an OS disk in name only: its state is the process's own folder. */
function imageDisk(
  kernel: Kernel,
  request: ArmRequest,
  machineId: string,
  name: string | undefined,
  location: string,
): string {
  const group = machineId.slice(0, machineId.toLowerCase().indexOf('/providers/'));
  const diskName = name ?? `${lastName(machineId)}_OsDisk_1`;
  const id = `${group}/providers/${diskType}/${diskName}`;
  const found = kernel.store.get(id);
  if (found) return attachable(kernel, id, machineId).id;
  const properties = {
    osType: 'Linux',
    creationData: { createOption: 'FromImage' },
    diskSizeGB: 30,
    diskState: 'Unattached',
    provisioningState: 'Succeeded',
  };
  const head = heading({ ...request, target: { ...request.target, path: id } }, diskType, { location });
  return kernel.store.put(id, diskType, { ...head, properties }).id;
}

export function checkInterfaces(kernel: Kernel, request: ArmRequest, machineId: string, body: MachineBody): void {
  for (const { id } of body.properties.networkProfile.networkInterfaces) {
    kernel.access.demandLinked(
      request.caller,
      { action: request.action, scope: request.target.path },
      `${nicType}/join/action`,
      id,
    );
    const nic = kernel.store.get(id);
    if (!nic || provisioning(nic) === 'Deleting') throw notFound(`Resource ${id} not found.`);
    const owner = text(part(nic.body, 'properties').virtualMachine, 'id');
    if (owner && keyOf(owner) !== keyOf(machineId)) {
      throw badRequest('NicInUse', `Network Interface ${id} is used by existing resource ${owner}.`);
    }
  }
}

export function identityOf(kernel: Kernel, id: string, { identity }: MachineBody): Json {
  if (!identity || identity.type === 'None') return {};
  const system = identity.type.includes('SystemAssigned')
    ? { principalId: guidOf(`principal ${id}`), tenantId: kernel.tenantId }
    : {};
  return { identity: { ...identity, ...system } };
}
