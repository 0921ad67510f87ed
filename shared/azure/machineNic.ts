// The one network interface of a machine. Reading and writing it is quick, so no durable polling.
import type { NetworkInterface } from '@azure/arm-network';
import { terminal } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import { attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import { finish } from './longOperations.ts';
import { parseIdOf } from './resourceIds.ts';

const nicType = 'Microsoft.Network/networkInterfaces';

/** The interface that we make for a machine: whoever knows the machine's name knows its too. */
export const nicNameOf = (machineName: string): string => `${machineName}-nic`;

/** The primary interface of an existing machine. */
export async function machineNic(
  clients: Clients,
  environment: Environment,
  machineName: string,
): Promise<NetworkInterface> {
  const { subscriptionId, resourceGroup } = environment;
  const machine = await attempt(`reading machine ${machineName}`, () =>
    clients.compute(subscriptionId).virtualMachines.get(resourceGroup, machineName),
  );
  const interfaces = machine.networkProfile?.networkInterfaces ?? [];
  const id = (interfaces.find(({ primary }) => primary) ?? interfaces[0])?.id;
  if (id === undefined) {
    throw terminal('notFound', `The machine "${machineName}" has no network interface.`, 'Attach one, then retry.');
  }
  const nic = parseIdOf(nicType, id);
  return attempt(`reading network interface ${nic.name}`, () =>
    clients.network(nic.subscriptionId).networkInterfaces.get(nic.resourceGroup, nic.name),
  );
}

/** Writes an interface (made or changed) and waits for it. */
export async function putNic(
  clients: Clients,
  environment: Environment,
  nic: NetworkInterface,
): Promise<NetworkInterface> {
  const name = nic.name ?? '';
  return finish(`writing network interface ${name}`, () =>
    clients
      .network(environment.subscriptionId)
      .networkInterfaces.createOrUpdate(environment.resourceGroup, name, nic, { updateIntervalInMs: 500 }),
  );
}
