// Is a test subnet cut off from everything but itself and the testers that the plan names? Judged by its rules alone: no
// packet is sent. Without an explicit deny, the platform's default rules let the virtual network in and out, and the
// Internet out (https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules).

export interface SubnetFacts {
  addressPrefix: string;
  peerings: readonly string[];
  networkSecurityGroupId?: string | undefined;
  routeTableId?: string | undefined;
}
export interface RuleFacts {
  name: string;
  priority: number;
  direction: 'Inbound' | 'Outbound';
  access: 'Allow' | 'Deny';
  protocol: string;
  /** Prefixes or service tags with commas between them; empty where a rule names application security groups. */
  source: string;
  destination: string;
  sourcePorts: readonly string[];
  destinationPorts: readonly string[];
}
/** Who may reach clones from outside their subnet. */
export interface TesterFacts {
  name: string;
  /** An IPv4 prefix. */
  from: string;
}
export interface IsolationProof {
  isolated: boolean;
  /** Why not; empty when isolated. */
  reasons: string[];
}

// Not 0.0.0.0/0: IPv6 passes a rule that says only that.
const anywhere = new Set(['*', 'any']);
const allPorts = new Set(['*', '0-65535']);

/** Judges the rules around a subnet, or around one interface in it: nothing gets out of the subnet, and nobody in but testers. */
export function proveIsolation(
  subnet: SubnetFacts,
  rules: readonly RuleFacts[],
  testers: readonly TesterFacts[] = [],
): IsolationProof {
  const admitted = [subnet.addressPrefix, ...testers.map(({ from }) => from)];
  const reasons = [
    ...(subnet.networkSecurityGroupId === undefined
      ? ['the subnet has no network security group']
      : [...holes(subnet, rules, 'Outbound', [subnet.addressPrefix]), ...holes(subnet, rules, 'Inbound', admitted)]),
    ...subnet.peerings.map((peering) => `its virtual network is peered: ${peering}`),
    ...(subnet.routeTableId === undefined ? [] : [`a route table may lead out of it: ${subnet.routeTableId}`]),
  ];
  return { isolated: reasons.length === 0, reasons };
}

/** What may pass in one direction, before everything is denied, with anybody but the admitted. */
function holes(
  subnet: SubnetFacts,
  rules: readonly RuleFacts[],
  direction: RuleFacts['direction'],
  admitted: readonly string[],
): string[] {
  const lower = direction.toLowerCase();
  const way = direction === 'Outbound' ? 'out' : 'in';
  const ordered = rules.filter((rule) => rule.direction === direction).sort((a, b) => a.priority - b.priority);
  const end = ordered.findIndex((rule) => deniesEverything(rule, subnet));
  if (end < 0) return [`no ${lower} rule denies everything, so the default rules let traffic ${way}`];
  return ordered.slice(0, end).flatMap((rule) => {
    const other = direction === 'Outbound' ? rule.destination : rule.source;
    if (rule.access !== 'Allow' || everyOf(other, (prefix) => admitted.some((outer) => contains(outer, prefix))))
      return [];
    return [`${lower} rule "${rule.name}" allows ${other || 'application groups'} before everything is denied`];
  });
}

function deniesEverything(
  { access, direction, protocol, source, destination, sourcePorts, destinationPorts }: RuleFacts,
  { addressPrefix }: SubnetFacts,
): boolean {
  const [here, there] = direction === 'Outbound' ? [source, destination] : [destination, source];
  return (
    access === 'Deny' &&
    protocol === '*' &&
    (anywhere.has(here.toLowerCase()) || (here !== '' && here === addressPrefix)) &&
    anywhere.has(there.toLowerCase()) &&
    [sourcePorts, destinationPorts].every((ports) => ports.some((range) => allPorts.has(range)))
  );
}

/** Whether there are prefixes and all of them pass. */
function everyOf(prefixes: string, passes: (prefix: string) => boolean): boolean {
  return prefixes !== '' && prefixes.split(',').every(passes);
}

/** Whether an IPv4 prefix lies inside another; anything that is no IPv4 prefix (a service tag) does not. */
export function contains(outer: string, inner: string): boolean {
  const [a, b] = [range(outer), range(inner)];
  return a !== undefined && b !== undefined && a.first <= b.first && b.last <= a.last;
}

function range(prefix: string): { first: number; last: number } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(prefix.trim());
  if (match === null) return undefined;
  const [a, b, c, d] = match.slice(1, 5).map(Number) as [number, number, number, number];
  const bits = Number(match[5] ?? 32);
  if (Math.max(a, b, c, d) > 255 || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}
