// Whom a webhook may lead to: public addresses, and those networks that the settings allow. Never what is only there for
// the machine itself: loopback unless allowed, link-local, and the addresses behind which clouds keep their metadata.
// https://www.iana.org/assignments/iana-ipv4-special-registry https://www.iana.org/assignments/iana-ipv6-special-registry
// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
import { BlockList, isIPv4, isIPv6 } from 'node:net';

const notPublic = listOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  // Teredo, benchmarks, ORCHID, documentation, 6to4; outside of 2000::/3 nothing is public.
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
]);
const global = listOf(['2000::/3']);
const never = listOf(['169.254.0.0/16', '168.63.129.16/32', '100.100.100.200/32', 'fe80::/10', 'fd00:ec2::254/128']);

/** A list of networks as `10.20.0.0/16`; throws a RangeError that names what is none. */
export function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', length = ''] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const longest = family === 'ipv6' ? 128 : 32;
    const bits = length === '' ? longest : Number(length);
    if ((family === 'ipv4' && !isIPv4(address)) || !Number.isInteger(bits) || bits < 0 || bits > longest)
      throw new RangeError(`"${network}" is no network: write it as 10.20.0.0/16 or fd12::/32`);
    list.addSubnet(address, bits, family);
  }
  return list;
}

/** Why an address may not be contacted; undefined if it may. */
export function whyNot(address: string, allowed: BlockList): string | undefined {
  const inner = embedded(address);
  if (inner !== undefined) return whyNot(inner, allowed);
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (never.check(address, family)) return 'it is link-local, or serves metadata of the machine that asks';
  if (allowed.check(address, family)) return undefined;
  const isPublic = !notPublic.check(address, family) && (family === 'ipv4' || global.check(address, 'ipv6'));
  return isPublic ? undefined : 'it is not public, and LANDFALL_WEBHOOK_NETWORKS does not allow its network';
}

/** The address of version 4 that one of version 6 stands for (mapped, compatible, NAT64): that is who would be reached. */
function embedded(address: string): string | undefined {
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address);
  const head = groups.slice(0, 6).join(':');
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  const stands = head === '0:0:0:0:0:ffff' || head === '64:ff9b:0:0:0:0' || (head === '0:0:0:0:0:0' && high > 0);
  return stands ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : undefined;
}

/** The eight groups of an address of version 6, without leading zeros; its zone, if it has one, left away. */
function groupsOf(address: string): string[] {
  // The URL parser shortens every spelling to one, dotted ends included.
  const short = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const [before = '', after] = short.split('::');
  const front = before === '' ? [] : before.split(':');
  const back = after === undefined || after === '' ? [] : after.split(':');
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
}
