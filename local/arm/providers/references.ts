// How network resources refer to each other, and what is said when the other end is not there.
import type { ArmRequest, Kernel } from '../contract.ts';
import { badRequest } from '../http/errors.ts';
import { parentId, sameId } from '../ids.ts';
import { items, type Json, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { provisioning } from './common.ts';

export const nicType = 'Microsoft.Network/networkInterfaces';

export const subnetsOfNic = (nic: Resource): string[] =>
  items(part(nic.body, 'properties'), 'ipConfigurations').flatMap(
    (configuration) => text(part(configuration, 'properties').subnet, 'id') ?? [],
  );

export const groupOfNic = (nic: Resource): string | undefined =>
  text(part(nic.body, 'properties').networkSecurityGroup, 'id');

/** Refuses a reference to what does not exist (or is going), and one that the caller may not make. */
export function requireReference(kernel: Kernel, request: ArmRequest, id: string, action: string): void {
  kernel.access.demandLinked(request.caller, { action: request.action, scope: request.target.path }, action, id);
  const isSubnet = /\/subnets\/[^/]+$/i.test(id);
  const found = kernel.store.get(isSubnet ? parentId(id) : id);
  if (found && provisioning(found) !== 'Deleting' && (!isSubnet || subnetById(kernel, id))) return;
  throw badRequest(
    'InvalidResourceReference',
    `Resource ${id} referenced by resource ${request.target.path} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
  );
}

/** The subnet with this id, wherever it is declared; nothing when it does not exist. */
export function subnetById(kernel: Kernel, id: string): Json | undefined {
  const vnet = kernel.store.get(parentId(id));
  return items(part(vnet?.body, 'properties'), 'subnets').find((subnet) => sameId(text(subnet, 'id') ?? '', id));
}

export const prefixOf = (subnet: Json): string => {
  const properties = part(subnet, 'properties');
  return text(properties, 'addressPrefix') ?? (properties.addressPrefixes as string[] | undefined)?.[0] ?? '';
};
