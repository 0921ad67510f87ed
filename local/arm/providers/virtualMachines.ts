// Virtual machines: what a PUT accepts and how a machine holds on to its disks and interfaces.
// https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update
import { z } from 'zod';
import type { ArmRequest, Handler, Kernel, ResourceType } from '../contract.ts';
import { badRequest, conflict, notFound, notSimulated } from '../http/errors.ts';
import { guidOf, keyOf, lastName, sameId } from '../ids.ts';
import { type Json, parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { existing, heading, provisioning, readable, reference, requireGroup, tracked } from './common.ts';
import { attachable, diskType } from './disks.ts';
import { hold, heldBy, release, removeMachine } from './holdings.ts';
import { checkQuota, machineType } from './quota.ts';
import { nicType } from './references.ts';
import { boot, definePower, instanceView, powerActions } from './power.ts';

const deleteOption = z.enum(['Delete', 'Detach']).optional();
const disk = {
  name: z.string().optional(),
  createOption: z.string(),
  managedDisk: z.looseObject({ id: z.string().optional() }).optional(),
  deleteOption,
};
const machineBody = z.looseObject({
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

export function virtualMachines(kernel: Kernel): ResourceType {
  const { store, operations } = kernel;
  definePower(kernel);
  operations.define('create machine', {
    async run(_, target) {
      await boot(kernel, existing(kernel, target, machineType));
      return () => void store.change(target, { provisioningState: 'Succeeded' }, { power: 'running', failure: null });
    },
    failed: (_, target, { code, message }) =>
      void store.change(target, { provisioningState: 'Failed' }, { power: 'stopped', failure: { code, message } }),
  });
  operations.define('delete machine', {
    async run(_, target) {
      const machine = store.get(target);
      if (!machine) return () => undefined;
      await kernel.dispose(machine);
      const going = heldBy(machine).filter(({ deleteOption }) => deleteOption === 'Delete');
      for (const { id } of going) {
        const held = store.get(id);
        if (held) await kernel.dispose(held);
      }
      return () => removeMachine(kernel, machine);
    },
  });

  const put: Handler = (request) => {
    requireGroup(kernel, request.target.path);
    const body = parse(machineBody, request.body);
    const before = store.get(request.target.path);
    const id = before?.id ?? request.target.path;
    if (before && provisioning(before) === 'Deleting')
      throw conflict('OperationNotAllowed', `The VM '${lastName(id)}' is being deleted.`);
    const head = heading(request, machineType, body);
    checkQuota(
      kernel,
      request.target.subscriptionId,
      String(head.location),
      id,
      body.properties.hardwareProfile.vmSize,
    );
    const storageProfile = storageOf(kernel, request, id, body, before);
    checkInterfaces(kernel, request, id, body);
    const { osProfile, ...rest } = body.properties;
    const { customData, adminPassword: _, ...shownProfile } = osProfile ?? {};
    const keep = before && provisioning(before) === 'Succeeded';
    const properties = {
      ...rest,
      storageProfile,
      ...(osProfile && { osProfile: shownProfile }),
      vmId: text(part(before?.body, 'properties'), 'vmId') ?? guidOf(`vm ${id} ${Date.now()}`),
      timeCreated: text(part(before?.body, 'properties'), 'timeCreated') ?? new Date().toISOString(),
      provisioningState: keep ? 'Updating' : 'Creating',
    };
    const hidden = before?.hidden ?? { power: 'stopped', customData };
    if (before) release(kernel, before);
    const stored = store.put(id, machineType, { ...head, ...identityOf(kernel, id, body), properties }, hidden);
    hold(kernel, stored);
    const status = before ? 200 : 201;
    return operations.accept(
      request,
      keep ? 'settle' : 'create machine',
      id,
      {},
      { status, body: stored.body, headers: 'azure-asyncoperation' },
    );
  };

  const base = readable(kernel, machineType);
  return {
    ...base,
    put,
    get(request) {
      const machine = existing(kernel, request.target.path, machineType);
      if (request.query.get('$expand')?.toLowerCase() !== 'instanceview') return { status: 200, body: machine.body };
      return {
        status: 200,
        body: {
          ...machine.body,
          properties: { ...part(machine.body, 'properties'), instanceView: instanceView(machine) },
        },
      };
    },
    delete(request) {
      const machine = store.get(request.target.path);
      if (!machine) return { status: 204 };
      store.change(machine.id, { provisioningState: 'Deleting' });
      return operations.accept(request, 'delete machine', machine.id, {}, { status: 202 });
    },
    actions: powerActions(kernel),
    views: {
      instanceview: ({ target }) => ({
        status: 200,
        body: instanceView(existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), machineType)),
      }),
    },
    async dispose(machine) {
      await kernel.machines.stop(machine.id);
      kernel.machines.forget(machine.id);
    },
  };
}

/** Checks the disks and fills in what ARM would: names, and for a registered image a disk of its own. */
function storageOf(
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

function checkInterfaces(kernel: Kernel, request: ArmRequest, machineId: string, body: MachineBody): void {
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

function identityOf(kernel: Kernel, id: string, { identity }: MachineBody): Json {
  if (!identity || identity.type === 'None') return {};
  const system = identity.type.includes('SystemAssigned')
    ? { principalId: guidOf(`principal ${id}`), tenantId: kernel.tenantId }
    : {};
  return { identity: { ...identity, ...system } };
}
