// How network resources refer to each other, and what is said when the other end is not there.
import type { ArmRequest, Kernel } from '../contract.ts';
import { badRequest } from '../http/errors.ts';
import { parentId, sameId } from '../ids.ts';
import { items, type Json, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { provisioning } from './common.ts';

export const nicType = 'Microsoft.Network/networkInterfaces';

export const balancerType = 'Microsoft.Network/loadBalancers';

export const subnetsOfNic = (nic: Resource): string[] =>
  items(part(nic.body, 'properties'), 'ipConfigurations').flatMap(
    (configuration) => text(part(configuration, 'properties').subnet, 'id') ?? [],
  );

export const groupOfNic = (nic: Resource): string | undefined =>
  text(part(nic.body, 'properties').networkSecurityGroup, 'id');

/** Refuses a reference to what does not exist (or is going), and one that the caller may not make. */
export function requireReference(kernel: Kernel, request: ArmRequest, id: string, action: string): void {
  kernel.access.demandLinked(request.caller, { action: request.action, scope: request.target.path }, action, id);
  const within = withinAnother(kernel, id);
  const found = kernel.store.get(within ? parentId(id) : id);
  if (found && provisioning(found) !== 'Deleting' && (within === undefined || within() !== undefined)) return;
  throw badRequest(
    'InvalidResourceReference',
    `Resource ${id} referenced by resource ${request.target.path} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
  );
}

/** What lies in the body of another resource is looked for there; nothing for what is a resource of its own. */
function withinAnother(kernel: Kernel, id: string): (() => Json | undefined) | undefined {
  if (/\/subnets\/[^/]+$/i.test(id)) return () => subnetById(kernel, id);
  return /\/backendAddressPools\/[^/]+$/i.test(id) ? () => poolById(kernel, id) : undefined;
}

/** The backend pool with this id; nothing when it does not exist. */
export function poolById(kernel: Kernel, id: string): Json | undefined {
  const balancer = kernel.store.get(parentId(id));
  return items(part(balancer?.body, 'properties'), 'backendAddressPools').find((pool) =>
    sameId(text(pool, 'id') ?? '', id),
  );
}

/** The addresses that a pool holds itself. */
export const heldAddresses = (pool: Json | undefined): Json[] =>
  items(part(pool, 'properties'), 'loadBalancerBackendAddresses');

/** The pools that a configuration of an interface is in. */
export const poolsOfConfiguration = (configuration: Json): string[] =>
  items(part(configuration, 'properties'), 'loadBalancerBackendAddressPools').flatMap((pool) => text(pool, 'id') ?? []);

/** The subnet with this id, wherever it is declared; nothing when it does not exist. */
export function subnetById(kernel: Kernel, id: string): Json | undefined {
  const vnet = kernel.store.get(parentId(id));
  return items(part(vnet?.body, 'properties'), 'subnets').find((subnet) => sameId(text(subnet, 'id') ?? '', id));
}

export const prefixOf = (subnet: Json): string => {
  const properties = part(subnet, 'properties');
  return text(properties, 'addressPrefix') ?? (properties.addressPrefixes as string[] | undefined)?.[0] ?? '';
};
