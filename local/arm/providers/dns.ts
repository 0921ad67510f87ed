// Public DNS zones. They answer at once, as Azure DNS does.
// https://learn.microsoft.com/rest/api/dns/zones/create-or-update
import { z } from 'zod';
import type { Kernel, ResourceType } from '../contract.ts';
import { lastName } from '../ids.ts';
import { type Json, parse, part } from '../json.ts';
import type { Resource } from '../store.ts';
import { existing, requireGroup, tagsSchema } from './common.ts';
import { type Dialect, precondition, recordSets, showTagged } from './recordSets.ts';

const zoneType = 'Microsoft.Network/dnsZones';
const dialect: Dialect = {
  zoneType,
  shownType: 'Microsoft.Network/dnszones',
  names: { ttl: 'TTL', A: 'ARecords', AAAA: 'AAAARecords', CNAME: 'CNAMERecord', TXT: 'TXTRecords' },
  besides: {},
};

export function dnsProvider(kernel: Kernel): ResourceType[] {
  return [zones(kernel), ...recordSets(kernel, dialect, ['recordsets', 'all'])];
}

function zones(kernel: Kernel): ResourceType {
  const { store } = kernel;
  const view = (zone: Resource): Json => ({
    ...showTagged(zone),
    properties: { ...part(zone.body, 'properties'), numberOfRecordSets: store.within(zone.id).length },
  });
  return {
    type: zoneType,
    put(request) {
      requireGroup(kernel, request.target.path);
      const body = parse(z.looseObject({ location: z.string(), tags: tagsSchema.optional() }), request.body);
      const before = store.get(request.target.path);
      precondition(request, before);
      const name = lastName(request.target.path);
      const nameServers = [1, 2, 3, 4].map((index) => `ns${index}-01.azure-dns.local.`);
      const properties = { maxNumberOfRecordSets: 10_000, nameServers, zoneType: 'Public' };
      const stored = store.put(request.target.path, zoneType, {
        name,
        type: 'Microsoft.Network/dnszones',
        location: body.location,
        ...(body.tags && { tags: body.tags }),
        properties,
      });
      return { status: before ? 200 : 201, body: view(stored) };
    },
    get: ({ target }) => ({ status: 200, body: view(existing(kernel, target.path, zoneType)) }),
    list: ({ target }) => ({ status: 200, body: { value: store.within(target.scope, zoneType).map(view) } }),
    delete(request) {
      const found = store.get(request.target.path);
      precondition(request, found);
      if (!found) return { status: 204 };
      store.remove(found.id);
      return { status: 200 };
    },
  };
}
