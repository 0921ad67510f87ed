// What would become of a connection that a machine opens. Nothing is sent: only what rules, address spaces and interfaces
// decide is answered, and what they let through is NotSimulated, for nobody is there to answer.
import type { Kernel } from '../contract.ts';
import { badRequest, notSimulated } from '../http/errors.ts';
import { lastName, parentId, sameId } from '../ids.ts';
import { items, part, text } from '../json.ts';
import { contains, parseAddress, parseCidr } from '../providers/cidr.ts';
import { groupOfNic, nicType, subnetById, subnetsOfNic } from '../providers/references.ts';
import type { Resource } from '../store.ts';
import { type Attempt, type Direction, denial, isPrivate } from './rules.ts';

/** A packet that is dropped gets no answer; `why` names what drops it. */
export interface Dropped {
  seen: 'silent';
  detail: string;
}

/** What becomes of a TCP connection from a machine to an IPv4 address. Throws `NotSimulated` unless something drops it. */
export function passage(kernel: Kernel, machine: Resource, to: string, port: number): Dropped {
  if (parseAddress(to) === undefined) throw badRequest('InvalidParameter', `'${to}' is no IPv4 address.`);
  const nic = nicOf(kernel, machine);
  const from = addressOf(nic);
  const network = networkOf(nic);
  const inNetwork = (address: string): boolean => isIn(kernel, network, address);
  const attempt = { from, to, port };
  const dropped = (detail: string): Dropped => ({ seen: 'silent', detail });
  const out = denied(kernel, nic, 'Outbound', attempt, inNetwork);
  if (out !== undefined) return dropped(out);
  if (!inNetwork(to)) {
    const subnet = part(subnetById(kernel, subnetsOfNic(nic)[0] ?? ''), 'properties');
    const peerings = items(part(kernel.store.get(network)?.body, 'properties'), 'virtualNetworkPeerings');
    if (subnet.routeTable !== undefined || peerings.length > 0)
      throw notSimulated('Route tables and peerings are not evaluated.');
    if (isPrivate(to)) return dropped(`${lastName(network)} has no route to ${to}: it is peered with nobody`);
    throw notSimulated(`The rules let ${from} out to ${to}:${port}, and networks pass no packets.`);
  }
  const target = kernel.store.ofType(nicType).find((one) => addressOf(one) === to && sameId(networkOf(one), network));
  if (target === undefined) return dropped(`no interface in ${lastName(network)} has ${to}`);
  const into = denied(kernel, target, 'Inbound', attempt, inNetwork);
  if (into !== undefined) return dropped(into);
  throw notSimulated(`The rules let ${from} through to ${to}:${port}, and networks pass no packets.`);
}

/** The rule that denies it at an interface: of the interface's group or of its subnet's. Without a group all may pass. */
function denied(
  kernel: Kernel,
  nic: Resource,
  direction: Direction,
  attempt: Attempt,
  inNetwork: (address: string) => boolean,
): string | undefined {
  const ofSubnets = subnetsOfNic(nic).map((id) =>
    text(part(subnetById(kernel, id), 'properties').networkSecurityGroup, 'id'),
  );
  for (const id of [groupOfNic(nic), ...ofSubnets]) {
    const group = id === undefined ? undefined : kernel.store.get(id);
    const rule = group && denial(group, direction, attempt, inNetwork);
    if (group !== undefined && rule !== undefined)
      return `${direction.toLowerCase()} rule '${rule}' of ${lastName(group.id)} denies it`;
  }
  return undefined;
}

function nicOf(kernel: Kernel, machine: Resource): Resource {
  const [first] = items(part(part(machine.body, 'properties'), 'networkProfile'), 'networkInterfaces');
  const nic = kernel.store.get(text(first, 'id') ?? '');
  if (nic === undefined) throw notSimulated(`${lastName(machine.id)} has no network interface.`);
  return nic;
}

function addressOf(nic: Resource): string {
  const [first] = items(part(nic.body, 'properties'), 'ipConfigurations');
  return text(part(first, 'properties'), 'privateIPAddress') ?? '';
}

const networkOf = (nic: Resource): string => parentId(subnetsOfNic(nic)[0] ?? '');

function isIn(kernel: Kernel, networkId: string, address: string): boolean {
  const space = part(part(kernel.store.get(networkId)?.body, 'properties'), 'addressSpace');
  const at = parseCidr(`${address}/32`);
  return ((space.addressPrefixes ?? []) as string[]).some((prefix) => contains(parseCidr(prefix), at));
}
