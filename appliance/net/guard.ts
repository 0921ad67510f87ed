// What is never contacted, however it is written or whatever name leads to it: link-local and instance-metadata addresses.
import { lookup as dnsLookup } from 'node:dns';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { isMetadataHost } from '../../shared/model/ids.ts';

const forbidden = new BlockList();
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
forbidden.addAddress('168.63.129.16', 'ipv4');
forbidden.addAddress('100.100.100.200', 'ipv4');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addAddress('fd00:ec2::254', 'ipv6');

/** Whether an address must never be contacted, however it is written. */
export function isForbiddenAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isMetadataHost(bare)) return true;
  return isIP(bare) !== 0 && forbidden.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}

/** Resolves a name and refuses it if any of its addresses is forbidden. */
export function guardedLookup(resolve: typeof dnsLookup = dnsLookup): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const first = found[0];
      if (!first || found.some(({ address }) => isForbiddenAddress(address)))
        return callback(
          new Error(`${hostname} leads to an instance-metadata address, which is never contacted`),
          '',
          0,
        );
      if (options.all) return callback(null, found);
      return callback(null, first.address, first.family);
    });
}
