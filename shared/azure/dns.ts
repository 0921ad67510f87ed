// Records of Azure DNS zones, public and private, told apart by the type in the zone's id: the traffic of step 11 and its
// way back.
import { terminal, toMigrationError } from '../errors.ts';
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure, DnsRecord, DnsType } from './contract.ts';
import { parseIdOf, typeOf } from './resourceIds.ts';

const publicType = 'Microsoft.Network/dnsZones';
const privateType = 'Microsoft.Network/privateDnsZones';

/** A record set as the SDKs of both kinds have it. */
interface RecordSet {
  ttl?: number;
  aRecords?: { ipv4Address?: string }[];
  aaaaRecords?: { ipv6Address?: string }[];
  cnameRecord?: { cname?: string };
}

interface Zone {
  name: string;
  exists(): PromiseLike<unknown>;
  get(record: string, type: DnsType): PromiseLike<RecordSet>;
  put(record: string, type: DnsType, content: RecordSet): PromiseLike<unknown>;
  delete(record: string, type: DnsType): PromiseLike<unknown>;
}

export function createDns(clients: Clients): Azure['dns'] {
  const at = (zoneId: string): Zone =>
    typeOf(zoneId).toLowerCase() === privateType.toLowerCase()
      ? privateZone(clients, zoneId)
      : publicZone(clients, zoneId);
  return {
    async get(zoneId, record, type) {
      const zone = at(zoneId);
      const found = await absentAsUndefined(`reading ${type} ${record}.${zone.name}`, () => zone.get(record, type));
      return found && { ttlSeconds: found.ttl ?? 0, values: valuesOf(found, type) };
    },
    async set(zoneId, record, type, value) {
      const zone = at(zoneId);
      const content = { ttl: value.ttlSeconds, ...contentOf(value, type) };
      try {
        await zone.put(record, type, content);
      } catch (error) {
        throw toMigrationError(error, `setting ${type} ${record}.${zone.name}`);
      }
    },
    async remove(zoneId, record, type) {
      const zone = at(zoneId);
      await absentAsUndefined(`removing ${type} ${record}.${zone.name}`, () => zone.delete(record, type));
    },
    async requireZone(zoneId) {
      const zone = at(zoneId);
      await attempt(`reading the zone ${zone.name}`, () => zone.exists());
    },
  };
}

function publicZone(clients: Clients, zoneId: string): Zone {
  const { subscriptionId, resourceGroup, name } = parseIdOf(publicType, zoneId);
  const { recordSets, zones } = clients.dns(subscriptionId);
  return {
    name,
    exists: () => zones.get(resourceGroup, name),
    get: (record, type) => recordSets.get(resourceGroup, name, record, type),
    put: (record, type, content) => recordSets.createOrUpdate(resourceGroup, name, record, type, content),
    delete: (record, type) => recordSets.delete(resourceGroup, name, record, type),
  };
}

function privateZone(clients: Clients, zoneId: string): Zone {
  const { subscriptionId, resourceGroup, name } = parseIdOf(privateType, zoneId);
  const { recordSets, privateZones } = clients.privateDns(subscriptionId);
  return {
    name,
    exists: () => privateZones.get(resourceGroup, name),
    get: (record, type) => recordSets.get(resourceGroup, name, type, record),
    put: (record, type, content) => recordSets.createOrUpdate(resourceGroup, name, type, record, content),
    delete: (record, type) => recordSets.delete(resourceGroup, name, type, record),
  };
}

function valuesOf({ aRecords = [], aaaaRecords = [], cnameRecord }: RecordSet, type: DnsType): string[] {
  if (type === 'A') return aRecords.flatMap(({ ipv4Address }) => ipv4Address ?? []);
  if (type === 'AAAA') return aaaaRecords.flatMap(({ ipv6Address }) => ipv6Address ?? []);
  return [cnameRecord?.cname ?? []].flat();
}

function contentOf({ values }: DnsRecord, type: DnsType): RecordSet {
  if (type === 'A') return { aRecords: values.map((ipv4Address) => ({ ipv4Address })) };
  if (type === 'AAAA') return { aaaaRecords: values.map((ipv6Address) => ({ ipv6Address })) };
  const [cname, ...others] = values;
  if (cname === undefined || others.length > 0) {
    throw terminal('invalidInput', 'A CNAME record has exactly one value.', 'Give one host name, or use an A record.');
  }
  return { cnameRecord: { cname } };
}
