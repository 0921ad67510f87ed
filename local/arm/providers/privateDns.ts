// Private DNS zones. Zones are long operations, their record sets answer at once. No links to virtual networks: no network
// here asks these zones.
// https://learn.microsoft.com/rest/api/dns/privatedns/private-zones/create-or-update
import { z } from 'zod';
import type { Handler, Kernel, ResourceType } from '../contract.ts';
import { badRequest } from '../http/errors.ts';
import { type Json, parse, part } from '../json.ts';
import type { Resource } from '../store.ts';
import { deletable, existing, heading, requireGroup, tagsSchema } from './common.ts';
import { type Dialect, precondition, recordSets, showTagged } from './recordSets.ts';

const zoneType = 'Microsoft.Network/privateDnsZones';
const dialect: Dialect = {
  zoneType,
  shownType: zoneType,
  names: { ttl: 'ttl', A: 'aRecords', AAAA: 'aaaaRecords', CNAME: 'cnameRecord', TXT: 'txtRecords' },
  besides: { isAutoRegistered: false },
};

export function privateDnsProvider(kernel: Kernel): ResourceType[] {
  return [zones(kernel), ...recordSets(kernel, dialect, ['all'])];
}

function zones(kernel: Kernel): ResourceType {
  const { store, operations } = kernel;
  const view = (zone: Resource): Json => ({
    ...showTagged(zone),
    properties: { ...part(zone.body, 'properties'), numberOfRecordSets: store.within(zone.id).length },
  });
  const put: Handler = (request) => {
    requireGroup(kernel, request.target.path);
    const body = parse(z.looseObject({ location: z.string(), tags: tagsSchema.optional() }), request.body);
    if (body.location.toLowerCase() !== 'global')
      throw badRequest(
        'LocationNotAvailableForResourceType',
        `The provided location '${body.location}' is not available for resource type '${zoneType}'. List of available regions for the resource type is 'global'.`,
      );
    const before = store.get(request.target.path);
    precondition(request, before);
    const properties = {
      maxNumberOfRecordSets: 25_000,
      maxNumberOfVirtualNetworkLinks: 1_000,
      maxNumberOfVirtualNetworkLinksWithRegistration: 100,
      provisioningState: 'Updating',
    };
    const stored = store.put(request.target.path, zoneType, { ...heading(request, zoneType, body), properties });
    return operations.accept(request, 'settle', stored.id, {}, { status: before ? 200 : 201, body: view(stored) });
  };
  return {
    type: zoneType,
    put,
    get: ({ target }) => ({ status: 200, body: view(existing(kernel, target.path, zoneType)) }),
    list: ({ target }) => ({ status: 200, body: { value: store.within(target.scope, zoneType).map(view) } }),
    delete: deletable(kernel, zoneType),
  };
}
