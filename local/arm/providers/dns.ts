// DNS zones and their A, AAAA, CNAME and TXT record sets, with etags. They answer at once, as Azure DNS does.
// https://learn.microsoft.com/rest/api/dns/record-sets/create-or-update
import { z } from 'zod';
import type { ArmRequest, Handler, Kernel, ResourceType } from '../contract.ts';
import { ArmError, badRequest } from '../http/errors.ts';
import { keyOf, lastName, parentId } from '../ids.ts';
import { type Json, parse, part } from '../json.ts';
import type { Resource } from '../store.ts';
import { existing, missing, requireGroup, tagsSchema } from './common.ts';

const zoneType = 'Microsoft.Network/dnsZones';
const recordTypes = ['A', 'AAAA', 'CNAME', 'TXT'] as const;
type RecordType = (typeof recordTypes)[number];

const common = { TTL: z.number().int().min(1).max(2_147_483_647), metadata: tagsSchema.optional() };
const schemas = {
  A: z.object({ ...common, ARecords: z.array(z.looseObject({ ipv4Address: z.ipv4() })).min(1) }),
  AAAA: z.object({ ...common, AAAARecords: z.array(z.looseObject({ ipv6Address: z.ipv6() })).min(1) }),
  CNAME: z.object({ ...common, CNAMERecord: z.looseObject({ cname: z.string().min(1) }) }),
  TXT: z.object({
    ...common,
    TXTRecords: z.array(z.looseObject({ value: z.array(z.string().max(255)).min(1) })).min(1),
  }),
} satisfies Record<RecordType, z.ZodType>;

export function dnsProvider(kernel: Kernel): ResourceType[] {
  return [zones(kernel), ...recordTypes.map((type) => records(kernel, type)), ...recordLists(kernel)];
}

const show = (resource: Resource): Json => ({ ...resource.body, etag: resource.etag });

/** If-Match and If-None-Match, as both zones and record sets take them. */
function precondition(request: ArmRequest, found: Resource | undefined): void {
  const wanted = request.headers['if-match'];
  const unwanted = request.headers['if-none-match'];
  const fits = wanted === undefined || (found !== undefined && (wanted === '*' || wanted === found.etag));
  if (fits && !(unwanted === '*' && found)) return;
  const etag = String(wanted ?? unwanted);
  throw new ArmError(
    412,
    'PreconditionFailed',
    `The condition '${etag}' in the If-Match or If-None-Match header was not satisfied. The current etag is '${found?.etag ?? 'null'}'.`,
  );
}

function zones(kernel: Kernel): ResourceType {
  const { store } = kernel;
  const view = (zone: Resource): Json => ({
    ...show(zone),
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

function records(kernel: Kernel, recordType: RecordType): ResourceType {
  const { store } = kernel;
  const type = `${zoneType}/${recordType}`;
  const write = (request: ArmRequest, properties: Json, before: Resource | undefined): Resource => {
    const zone = existing(kernel, parentId(request.target.path), zoneType);
    const name = lastName(request.target.path);
    refuseCnameClash(zone, name);
    const fqdn = name === '@' ? `${lastName(zone.id)}.` : `${name}.${lastName(zone.id)}.`;
    const whole = { ...properties, fqdn, provisioningState: 'Succeeded' };
    const id = before?.id ?? `${zone.id}/${recordType}/${name}`;
    return store.put(id, type, { id, name, type: `Microsoft.Network/dnszones/${recordType}`, properties: whole });
  };
  /** A name with a CNAME has nothing else. */
  function refuseCnameClash(zone: Resource, name: string): void {
    const others = recordTypes.filter((one) => (recordType === 'CNAME') !== (one === 'CNAME'));
    const clash = others.map((one) => store.get(`${zone.id}/${one}/${name}`)).find(Boolean);
    if (clash)
      throw badRequest(
        'BadRequest',
        `The record set '${name}' of type ${recordType} conflicts with ${clash.id}: a CNAME must be the only record set of its name.`,
      );
  }
  const put: Handler = (request) => {
    const before = store.get(request.target.path);
    precondition(request, before);
    const { properties } = parse(z.looseObject({ properties: schemas[recordType] }), request.body);
    return { status: before ? 200 : 201, body: show(write(request, properties, before)) };
  };
  const patch: Handler = (request) => {
    const before = find(request.target.path);
    precondition(request, before);
    const given = parse(z.looseObject({ properties: z.looseObject({}) }), request.body).properties;
    const { fqdn: _, provisioningState: __, ...known } = part(before.body, 'properties');
    return { status: 200, body: show(write(request, parse(schemas[recordType], { ...known, ...given }), before)) };
  };
  const find = (id: string): Resource => {
    existing(kernel, parentId(id), zoneType);
    const found = store.get(id);
    if (!found) throw missing(id, type);
    return found;
  };
  return {
    type,
    put,
    patch,
    get: ({ target }) => ({ status: 200, body: show(find(target.path)) }),
    list: ({ target }) => {
      const zone = existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), zoneType);
      return { status: 200, body: { value: store.within(zone.id, type).map(show) } };
    },
    delete(request) {
      const found = store.get(request.target.path);
      precondition(request, found);
      if (!found) return { status: 204 };
      store.remove(found.id);
      return { status: 200 };
    },
  };
}

/** `…/dnsZones/{zone}/recordsets` and `…/all`. */
function recordLists(kernel: Kernel): ResourceType[] {
  const list: Handler = ({ target }) => {
    const zone = existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), zoneType);
    const below = kernel.store.within(zone.id).filter(({ id }) => keyOf(parentId(id)) === keyOf(zone.id));
    return { status: 200, body: { value: below.map(show) } };
  };
  return ['recordsets', 'all'].map((name) => ({ type: `${zoneType}/${name}`, list }));
}
