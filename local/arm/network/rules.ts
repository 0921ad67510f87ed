// What the rules of a security group say of one TCP connection, evaluated as Azure does: by priority, the first match
// decides (https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works).
import { notSimulated } from '../http/errors.ts';
import { items, type Json, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { parseAddress, parseCidr } from '../providers/cidr.ts';

/** A connection attempt; the port that it comes from is not known. */
export interface Attempt {
  from: string;
  to: string;
  port: number;
}
export type Direction = 'Inbound' | 'Outbound';

/** The rule that denies the attempt, or nothing where the group lets it pass. Refuses what it cannot evaluate. */
export function denial(
  group: Resource,
  direction: Direction,
  attempt: Attempt,
  inNetwork: (address: string) => boolean,
): string | undefined {
  const properties = part(group.body, 'properties');
  const rules = [...items(properties, 'securityRules'), ...items(properties, 'defaultSecurityRules')]
    .filter((rule) => part(rule, 'properties').direction === direction)
    .sort((a, b) => Number(part(a, 'properties').priority) - Number(part(b, 'properties').priority));
  const decides = rules.find((rule) => matches(String(rule.name), part(rule, 'properties'), attempt, inNetwork));
  return part(decides, 'properties').access === 'Allow' ? undefined : String(decides?.name ?? 'nothing allows it');
}

function matches(name: string, rule: Json, attempt: Attempt, inNetwork: (address: string) => boolean): boolean {
  const { from, to, port } = attempt;
  if (!['*', 'tcp'].includes(String(rule.protocol).toLowerCase())) return false;
  if (!listed(rule, 'destinationPortRange').some((range) => inRange(range, port))) return false;
  const of = (side: 'source' | 'destination', address: string): boolean => {
    if (items(rule, `${side}ApplicationSecurityGroups`).length > 0)
      throw notSimulated(`Rule '${name}' names application security groups, which are not evaluated.`);
    return listed(rule, `${side}AddressPrefix`).some((prefix) => holds(name, prefix, address, inNetwork));
  };
  if (!of('source', from) || !of('destination', to)) return false;
  if (listed(rule, 'sourcePortRange').some((range) => range === '*' || range === '0-65535')) return true;
  throw notSimulated(`Rule '${name}' depends on the port that a connection comes from, which nobody knows.`);
}

function holds(name: string, prefix: string, address: string, inNetwork: (address: string) => boolean): boolean {
  if (prefix === '*' || prefix === '0.0.0.0/0') return true;
  if (/^\d/.test(prefix)) {
    const range = parseCidr(prefix.includes('/') ? prefix : `${prefix}/32`);
    const at = parseAddress(address) ?? -1;
    return range.first <= at && at <= range.last;
  }
  switch (prefix.toLowerCase()) {
    case 'virtualnetwork':
      return inNetwork(address);
    case 'internet':
      return !inNetwork(address) && !isPrivate(address);
    case 'azureloadbalancer':
      return false;
    default:
      throw notSimulated(`Rule '${name}' names ${prefix}, which is not evaluated.`);
  }
}

/** Without a route to them, Azure drops packets to these: https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview#default */
export const isPrivate = (address: string): boolean =>
  ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].some((prefix) => {
    const { first, last } = parseCidr(prefix);
    const at = parseAddress(address) ?? -1;
    return first <= at && at <= last;
  });

function listed(rule: Json, name: string): string[] {
  const many = rule[name.endsWith('Prefix') ? `${name}es` : `${name}s`];
  const one = text(rule, name);
  return Array.isArray(many) && many.length > 0 ? many.map(String) : one === undefined ? [] : [one];
}

const inRange = (range: string, port: number): boolean => {
  if (range === '*') return true;
  const [first, last = first] = range.split('-').map(Number);
  return first !== undefined && last !== undefined && first <= port && port <= last;
};
