// Records of public Azure DNS zones: the traffic of step 11 and its way back.
import { terminal, toMigrationError } from '../errors.ts';
import { absentAsUndefined } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure, DnsRecord } from './contract.ts';
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
      const values =
        type === 'A'
          ? (found.aRecords ?? []).flatMap(({ ipv4Address }) => ipv4Address ?? [])
          : [found.cnameRecord?.cname ?? []].flat();
      return { ttlSeconds: found.ttl ?? 0, values };
    },
    async set(zoneId, record, type, value) {
      const { records, resourceGroup, zone } = at(zoneId);
      const content = type === 'A' ? aRecords(value) : cnameRecord(value);
      try {
        await records.createOrUpdate(resourceGroup, zone, record, type, { ttl: value.ttlSeconds, ...content });
      } catch (error) {
        throw toMigrationError(error, `setting ${type} ${record}.${zone}`);
      }
    },
    async remove(zoneId, record, type) {
      const { records, resourceGroup, zone } = at(zoneId);
      await absentAsUndefined(`removing ${type} ${record}.${zone}`, () =>
        records.delete(resourceGroup, zone, record, type),
      );
    },
  };
}

function aRecords({ values }: DnsRecord) {
  return { aRecords: values.map((ipv4Address) => ({ ipv4Address })) };
}

function cnameRecord({ values }: DnsRecord) {
  const [cname, ...others] = values;
  if (cname === undefined || others.length > 0) {
    throw terminal('invalidInput', 'A CNAME record has exactly one value.', 'Give one host name, or use an A record.');
  }
  return { cnameRecord: { cname } };
}
