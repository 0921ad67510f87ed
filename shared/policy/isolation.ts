// Is a test subnet cut off from everything but itself? Judged by its rules alone, of
// which only the outbound ones count: no packet is sent. Without an explicit deny, the platform's default rules allow the virtual network and the Internet
// (https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules).

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
  source: string;
  destination: string;
  destinationPorts: readonly string[];
}
export interface IsolationProof {
  isolated: boolean;
  /** Why not; empty when isolated. */
  reasons: string[];
}

const anywhere = new Set(['*', '0.0.0.0/0', 'any']);
const allPorts = new Set(['*', '0-65535']);

export function proveIsolation(subnet: SubnetFacts, rules: readonly RuleFacts[]): IsolationProof {
  const reasons = [
    ...(subnet.networkSecurityGroupId === undefined
      ? ['the subnet has no network security group']
      : outboundHoles(subnet, rules)),
    ...subnet.peerings.map((peering) => `its virtual network is peered: ${peering}`),
    ...(subnet.routeTableId === undefined ? [] : [`a route table may lead out of it: ${subnet.routeTableId}`]),
  ];
  return { isolated: reasons.length === 0, reasons };
}

function outboundHoles(subnet: SubnetFacts, rules: readonly RuleFacts[]): string[] {
  const outbound = rules.filter(({ direction }) => direction === 'Outbound').sort((a, b) => a.priority - b.priority);
  const end = outbound.findIndex((rule) => deniesEverything(rule, subnet));
  if (end < 0) return ['no outbound rule denies everything, so the default rules let traffic out'];
  return outbound
    .slice(0, end)
    .filter(({ access, destination }) => access === 'Allow' && !contains(subnet.addressPrefix, destination))
    .map(({ name, destination }) => `outbound rule "${name}" allows ${destination} before everything is denied`);
}

function deniesEverything(
  { access, protocol, source, destination, destinationPorts }: RuleFacts,
  { addressPrefix }: SubnetFacts,
): boolean {
  return (
    access === 'Deny' &&
    protocol === '*' &&
    (anywhere.has(source.toLowerCase()) || source === addressPrefix) &&
    anywhere.has(destination.toLowerCase()) &&
    destinationPorts.some((ports) => allPorts.has(ports))
  );
}

/** Whether an IPv4 prefix lies inside another; anything that is no IPv4 prefix (a service tag) does not. */
function contains(outer: string, inner: string): boolean {
  const [a, b] = [range(outer), range(inner)];
  return a !== undefined && b !== undefined && a.first <= b.first && b.last <= a.last;
}

function range(prefix: string): { first: number; last: number } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(prefix);
  if (match === null) return undefined;
  const [a, b, c, d] = match.slice(1, 5).map(Number) as [number, number, number, number];
  const bits = Number(match[5] ?? 32);
  if (Math.max(a, b, c, d) > 255 || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}
