// Making one machine: behind one interface, without a public address, from an image or from imported disks.
import { generateKeyPairSync } from 'node:crypto';
import type { VirtualMachine } from '@azure/arm-compute';
import type { NetworkInterface } from '@azure/arm-network';
import { terminal } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import { absentAsUndefined } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Ownership, Progress } from './contract.ts';
import { begin } from './longOperations.ts';
import { ownershipTags, requireOurs, requireSameOwner } from './ownership.ts';
import { sameId } from './resourceIds.ts';

export const diskType = 'Microsoft.Compute/disks';

export interface MachineSpec {
  name: string;
  size: string;
  nicId: string;
  subnetId: string;
  networkSecurityGroupId?: string;
  privateAddress?: string;
  osDiskId?: string;
  dataDiskIds: string[];
  imageId?: string;
  /** Plain text; Azure takes it in base64. */
  customData?: string;
}

/** Starts the machine's creation, or says that it is there already; one that is there and differs is refused. */
export async function putMachine(
  clients: Clients,
  environment: Environment,
  spec: MachineSpec,
  ownership: Ownership,
  putNic: (nic: NetworkInterface) => Promise<NetworkInterface>,
): Promise<Progress> {
  const { subscriptionId, resourceGroup, region } = environment;
  const { virtualMachines } = clients.compute(subscriptionId);
  const { name } = spec;
  const found = await absentAsUndefined(`reading machine ${name}`, () => virtualMachines.get(resourceGroup, name));
  // The appliance serves every wave of its environment; what is made of a source's disks belongs to one workload.
  const requireOwner = spec.imageId === undefined ? requireSameOwner : requireOurs;
  if (found) {
    requireOwner(`The machine "${name}"`, found.tags, ownership);
    requireSame(found, spec);
    if (found.provisioningState === 'Succeeded') return { done: true };
  } else {
    const nicName = spec.nicId.slice(spec.nicId.lastIndexOf('/') + 1);
    const nic = await absentAsUndefined(`reading network interface ${nicName}`, () =>
      clients.network(subscriptionId).networkInterfaces.get(resourceGroup, nicName),
    );
    if (nic) requireOwner(`The network interface "${nicName}"`, nic.tags, ownership);
    await putNic(nicOf(nicName, region, spec, ownership));
  }
  const fresh = machineOf(region, spec, ownership);
  // What was given at creation can't be changed afterwards, so a repeated request says what the first one said.
  const machine = found?.osProfile === undefined ? fresh : { ...fresh, osProfile: found.osProfile };
  return begin('createVirtualMachine', name, () => virtualMachines.createOrUpdate(resourceGroup, name, machine));
}

function nicOf(name: string, region: string, spec: MachineSpec, ownership: Ownership): NetworkInterface {
  const { subnetId, networkSecurityGroupId, privateAddress } = spec;
  return {
    name,
    location: region,
    tags: ownershipTags(ownership),
    ...(networkSecurityGroupId === undefined ? {} : { networkSecurityGroup: { id: networkSecurityGroupId } }),
    ipConfigurations: [
      {
        name: 'primary',
        primary: true,
        subnet: { id: subnetId },
        ...(privateAddress === undefined
          ? { privateIPAllocationMethod: 'Dynamic' }
          : { privateIPAllocationMethod: 'Static', privateIPAddress: privateAddress }),
      },
    ],
  };
}

function machineOf(region: string, spec: MachineSpec, ownership: Ownership): VirtualMachine {
  return {
    location: region,
    tags: ownershipTags(ownership),
    hardwareProfile: { vmSize: spec.size },
    networkProfile: { networkInterfaces: [{ id: spec.nicId, primary: true }] },
    ...(spec.osDiskId === undefined ? fromImage(spec) : fromDisks(spec.osDiskId, spec.dataDiskIds)),
  };
}

function fromDisks(osDiskId: string, dataDiskIds: string[]): Pick<VirtualMachine, 'storageProfile'> {
  return {
    storageProfile: {
      osDisk: { createOption: 'Attach', osType: 'Linux', managedDisk: { id: osDiskId } },
      dataDisks: dataDiskIds.map((id, lun) => ({ lun, createOption: 'Attach', managedDisk: { id } })),
    },
  };
}

function fromImage(spec: MachineSpec): Pick<VirtualMachine, 'storageProfile' | 'osProfile' | 'identity'> {
  const { name, imageId, customData } = spec;
  if (imageId === undefined) {
    throw terminal('invalidInput', `The machine "${name}" has neither an image nor disks.`, 'Name one of them.');
  }
  return {
    identity: { type: 'SystemAssigned' },
    storageProfile: {
      imageReference: { id: imageId },
      osDisk: { createOption: 'FromImage', name: `${name}-os`, deleteOption: 'Delete' },
    },
    osProfile: {
      computerName: name,
      adminUsername: 'landfall',
      ...(customData === undefined ? {} : { customData: Buffer.from(customData, 'utf8').toString('base64') }),
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: { publicKeys: [{ path: '/home/landfall/.ssh/authorized_keys', keyData: publicKeyOfNobody() }] },
      },
    },
  };
}

/** Azure wants a key where it allows no password. Nobody logs in: the private half is never kept. */
function publicKeyOfNobody(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.from(x, 'base64url'))]);
  return `ssh-ed25519 ${blob.toString('base64')} landfall`;
}

function requireSame(found: VirtualMachine, spec: MachineSpec): void {
  const disks = (found.storageProfile?.dataDisks ?? []).map(({ managedDisk }) => managedDisk?.id);
  const differs =
    (found.hardwareProfile?.vmSize !== spec.size && 'size') ||
    (!sameId(found.networkProfile?.networkInterfaces?.[0]?.id, spec.nicId) && 'network interface') ||
    (spec.osDiskId !== undefined &&
      !sameId(found.storageProfile?.osDisk?.managedDisk?.id, spec.osDiskId) &&
      'system disk') ||
    (spec.dataDiskIds.some((id, lun) => !sameId(disks[lun], id)) && 'data disks');
  if (!differs) return;
  throw terminal(
    'conflict',
    `The machine "${spec.name}" exists with another ${differs}.`,
    'Delete it, or choose another target name, then retry.',
  );
}
