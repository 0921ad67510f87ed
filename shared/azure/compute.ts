// Machines and disks in the environment's resource group. Names are deterministic and every `begin` looks first: what
// is there and equal is done, what is there and different or not ours is refused.
import type { Environment } from '../model/environment.ts';
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure, Ownership, Progress } from './contract.ts';
import { beginImportDisk } from './disks.ts';
import { advance, begin, finish } from './longOperations.ts';
import { machineNic, nicNameOf, putNic } from './machineNic.ts';
import { diskType, type MachineSpec, putMachine } from './machines.ts';
import { requireOurs } from './ownership.ts';
import { readReached, reachScript } from './reachFrom.ts';
import { idIn } from './resourceIds.ts';
import { runScript } from './runCommand.ts';
import { runScriptOnce } from './scripts.ts';

export function createCompute(clients: Clients): Azure['compute'] {
  const machinesOf = ({ subscriptionId }: Environment) => clients.compute(subscriptionId).virtualMachines;
  const readMachine = (environment: Environment, name: string) =>
    absentAsUndefined(`reading machine ${name}`, () => machinesOf(environment).get(environment.resourceGroup, name));

  const powerOf: Azure['compute']['power'] = async (environment, name) => {
    const view = await absentAsUndefined(`reading the power state of ${name}`, () =>
      machinesOf(environment).instanceView(environment.resourceGroup, name),
    );
    if (!view) return 'absent';
    const state = view.statuses?.find(({ code }) => code?.startsWith('PowerState/'))?.code?.slice('PowerState/'.length);
    return state === 'running' || state === 'stopped' || state === 'deallocated' ? state : 'other';
  };

  return {
    async findMachine(environment, name) {
      const found = await readMachine(environment, name);
      if (!found) return undefined;
      return {
        id: found.id ?? idIn(environment, 'Microsoft.Compute/virtualMachines', name),
        provisioning: found.provisioningState ?? 'Unknown',
        power: await powerOf(environment, name),
        tags: found.tags ?? {},
      };
    },

    beginAppliance(environment, name, customData, ownership) {
      const { imageId, vmSize, subnetId } = environment.appliance;
      return makeMachine(environment, { name, size: vmSize, subnetId, imageId, customData }, ownership);
    },

    beginImportDisk: (environment, disk, ownership) => beginImportDisk(clients, environment, disk, ownership),

    beginMachine: (environment, machine, ownership) => makeMachine(environment, machine, ownership),

    async beginDeleteMachine(environment, name) {
      const found = await readMachine(environment, name);
      if (!found) return { done: true };
      requireOurs(`The machine "${name}"`, found.tags);
      return begin('deleteVirtualMachine', name, () => machinesOf(environment).delete(environment.resourceGroup, name));
    },

    async beginDeleteDisk({ subscriptionId, resourceGroup }, name) {
      const { disks } = clients.compute(subscriptionId);
      const found = await absentAsUndefined(`reading disk ${name}`, () => disks.get(resourceGroup, name));
      if (!found) return { done: true };
      requireOurs(`The disk "${name}"`, found.tags);
      return begin('deleteDisk', name, () => disks.delete(resourceGroup, name));
    },

    async beginDeleteNic({ subscriptionId, resourceGroup }, name) {
      const { networkInterfaces } = clients.network(subscriptionId);
      const found = await absentAsUndefined(`reading network interface ${name}`, () =>
        networkInterfaces.get(resourceGroup, name),
      );
      if (!found) return { done: true };
      requireOurs(`The network interface "${name}"`, found.tags);
      return begin('deleteNic', name, () => networkInterfaces.delete(resourceGroup, name));
    },

    advance: (environment, operation) => advance(clients, environment, operation),
    power: powerOf,
    runCommand: (environment, name, script) => runScript(clients, environment, name, script),
    reachFrom: async (environment, name, endpoints) =>
      readReached(endpoints, await runScript(clients, environment, name, reachScript(endpoints))),

    runScript: (environment, name, run) => runScriptOnce(clients, environment, name, run),

    async privateAddress(environment, machineName) {
      if (!(await readMachine(environment, machineName))) return undefined;
      const nic = await machineNic(clients, environment, machineName);
      return nic.ipConfigurations?.[0]?.privateIPAddress;
    },

    async setTags(environment, machineName, tags) {
      const found = await attempt(`reading machine ${machineName}`, () =>
        machinesOf(environment).get(environment.resourceGroup, machineName),
      );
      const given = Object.entries(tags).filter(([name]) => !name.startsWith('landfall:'));
      await finish(`tagging machine ${machineName}`, () =>
        machinesOf(environment).update(
          environment.resourceGroup,
          machineName,
          { tags: { ...found.tags, ...Object.fromEntries(given) } },
          { updateIntervalInMs: 500 },
        ),
      );
    },

    async listOwned({ subscriptionId, resourceGroup }, tag, value) {
      const filter = `tagName eq 'landfall:${tag}' and tagValue eq '${value.replaceAll("'", "''")}'`;
      return attempt(`listing what Landfall made as ${tag} ${value}`, async () => {
        const owned: Awaited<ReturnType<Azure['compute']['listOwned']>> = [];
        for await (const { id, type, name, tags = {} } of clients
          .resources(subscriptionId)
          .resources.listByResourceGroup(resourceGroup, { filter }))
          if (id !== undefined && type !== undefined && name !== undefined) owned.push({ id, type, name, tags });
        return owned;
      });
    },
  };

  /** NIC, then machine. The NIC is only written while there is no machine, for later its group may have been changed. */
  async function makeMachine(
    environment: Environment,
    machine: MachineRequest,
    ownership: Ownership,
  ): Promise<Progress> {
    const nicId = idIn(environment, 'Microsoft.Network/networkInterfaces', nicNameOf(machine.name));
    const { osDisk, dataDisks, ...rest } = machine;
    const spec: MachineSpec = {
      ...rest,
      nicId,
      ...(osDisk === undefined ? {} : { osDiskId: idIn(environment, diskType, osDisk) }),
      dataDiskIds: (dataDisks ?? []).map((disk) => idIn(environment, diskType, disk)),
    };
    return putMachine(clients, environment, spec, ownership, (nic) => putNic(clients, environment, nic));
  }
}

interface MachineRequest {
  name: string;
  size: string;
  subnetId: string;
  networkSecurityGroupId?: string;
  privateAddress?: string;
  osDisk?: string;
  dataDisks?: string[];
  imageId?: string;
  customData?: string;
}
