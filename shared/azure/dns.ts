// Records of public Azure DNS zones: the traffic of step 11 and its way back.
import type { RecordSet } from '@azure/arm-dns';
import { terminal, toMigrationError } from '../errors.ts';
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure, DnsRecord, DnsType } from './contract.ts';
import { parseIdOf } from './resourceIds.ts';

const zoneType = 'Microsoft.Network/dnsZones';

export function createDns(clients: Clients): Azure['dns'] {
  const at = (zoneId: string) => {
    const { subscriptionId, resourceGroup, name } = parseIdOf(zoneType, zoneId);
    return { records: clients.dns(subscriptionId).recordSets, resourceGroup, zone: name };
  };
  return {
    async get(zoneId, record, type) {
      const { records, resourceGroup, zone } = at(zoneId);
      const found = await absentAsUndefined(`reading ${type} ${record}.${zone}`, () =>
        records.get(resourceGroup, zone, record, type),
      );
      if (!found) return undefined;
      return { ttlSeconds: found.ttl ?? 0, values: valuesOf(found, type) };
    },
    async set(zoneId, record, type, value) {
      const { records, resourceGroup, zone } = at(zoneId);
      const content = contentOf(value, type);
      try {
        await records.createOrUpdate(resourceGroup, zone, record, type, { ttl: value.ttlSeconds, ...content });
      } catch (error) {
        throw toMigrationError(error, `setting ${type} ${record}.${zone}`);
      }
    },
    async requireZone(zoneId) {
      const { subscriptionId, resourceGroup, name } = parseIdOf(zoneType, zoneId);
      await attempt(`reading the zone ${name}`, () => clients.dns(subscriptionId).zones.get(resourceGroup, name));
    },
    async remove(zoneId, record, type) {
      const { records, resourceGroup, zone } = at(zoneId);
      await absentAsUndefined(`removing ${type} ${record}.${zone}`, () =>
        records.delete(resourceGroup, zone, record, type),
      );
    },
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
