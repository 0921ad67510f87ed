// IPv4 prefixes, as numbers.
import { badRequest } from '../http/errors.ts';

export interface Cidr {
  readonly first: number;
  readonly last: number;
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

export function parseCidr(text: string): Cidr {
  const [address, bits] = text.split('/');
  const first = parseAddress(address ?? '');
  const length = Number(bits);
  const size = 2 ** (32 - length);
  if (first === undefined || !/^\d{1,2}$/.test(bits ?? '') || length > 32 || first % size !== 0) {
    throw badRequest('InvalidAddressPrefixFormat', `The address prefix '${text}' is not a valid IPv4 CIDR.`);
  }
  return { first, last: first + size - 1 };
}

export const contains = (outer: Cidr, inner: Cidr): boolean => outer.first <= inner.first && inner.last <= outer.last;

export const overlaps = (one: Cidr, other: Cidr): boolean => one.first <= other.last && other.first <= one.last;

/** Azure keeps the first four addresses and the last of every subnet for itself. */
export function firstFree(subnet: Cidr, taken: ReadonlySet<number>): number | undefined {
  for (let address = subnet.first + 4; address < subnet.last; address++) if (!taken.has(address)) return address;
  return undefined;
}
