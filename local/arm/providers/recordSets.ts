// Record sets of DNS zones, public and private, with etags: they answer at once, as Azure's do. The two kinds of zones
// spell the same things differently on the wire.
// https://learn.microsoft.com/rest/api/dns/record-sets/create-or-update
// https://learn.microsoft.com/rest/api/dns/privatedns/record-sets/create-or-update
import { z } from 'zod';
import type { ArmRequest, Handler, Kernel, ResourceType } from '../contract.ts';
import { ArmError, badRequest } from '../http/errors.ts';
import { keyOf, lastName, parentId } from '../ids.ts';
import { type Json, parse, part } from '../json.ts';
import type { Resource } from '../store.ts';
import { existing, missing, tagsSchema } from './common.ts';

const recordTypes = ['A', 'AAAA', 'CNAME', 'TXT'] as const;
export type RecordType = (typeof recordTypes)[number];

/** How a kind of zone spells itself and its record sets. */
export interface Dialect {
  zoneType: string;
  /** The type that record sets show, which is not always the one that they have. */
  shownType: string;
  names: { ttl: string } & Record<RecordType, string>;
  /** What a record set has besides. */
  besides: Json;
}

// At most twenty records: https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits#azure-dns-limits
const contents: Record<RecordType, z.ZodType> = {
  A: z
    .array(z.looseObject({ ipv4Address: z.ipv4() }))
    .min(1)
    .max(20),
  AAAA: z
    .array(z.looseObject({ ipv6Address: z.ipv6() }))
    .min(1)
    .max(20),
  CNAME: z.looseObject({ cname: z.string().min(1) }),
  TXT: z
    .array(z.looseObject({ value: z.array(z.string().max(255)).min(1) }))
    .min(1)
    .max(20),
};

/** Shows a zone or record set with its etag. */
export const showTagged = (resource: Resource): Json => ({ ...resource.body, etag: resource.etag });

/** If-Match and If-None-Match, as both zones and record sets take them. */
export function precondition(request: ArmRequest, found: Resource | undefined): void {
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

/** The record sets of one kind of zone, and the lists of them. */
export function recordSets(kernel: Kernel, dialect: Dialect, lists: readonly string[]): ResourceType[] {
  return [
    ...recordTypes.map((type) => recordsOfType(kernel, dialect, type)),
    ...lists.map((name) => listOf(kernel, dialect, name)),
  ];
}

function recordsOfType(kernel: Kernel, dialect: Dialect, recordType: RecordType): ResourceType {
  const { store } = kernel;
  const { zoneType, names } = dialect;
  const type = `${zoneType}/${recordType}`;
  const schema = z.object({
    [names.ttl]: z.number().int().min(1).max(2_147_483_647),
    metadata: tagsSchema.optional(),
    [names[recordType]]: contents[recordType],
  });
  const write = (request: ArmRequest, properties: Json, before: Resource | undefined): Resource => {
    const zone = existing(kernel, parentId(request.target.path), zoneType);
    const name = lastName(request.target.path);
    refuseCnameClash(zone, name);
    const fqdn = name === '@' ? `${lastName(zone.id)}.` : `${name}.${lastName(zone.id)}.`;
    const whole = { ...properties, fqdn, provisioningState: 'Succeeded', ...dialect.besides };
    const id = before?.id ?? `${zone.id}/${recordType}/${name}`;
    return store.put(id, type, { id, name, type: `${dialect.shownType}/${recordType}`, properties: whole });
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
    const { properties } = parse(z.looseObject({ properties: schema }), request.body);
    return { status: before ? 200 : 201, body: showTagged(write(request, properties as Json, before)) };
  };
  const patch: Handler = (request) => {
    const before = find(request.target.path);
    precondition(request, before);
    const given = parse(z.looseObject({ properties: z.looseObject({}) }), request.body).properties;
    const { fqdn: _, provisioningState: __, ...known } = part(before.body, 'properties');
    const properties = parse(schema, { ...known, ...given }) as Json;
    return { status: 200, body: showTagged(write(request, properties, before)) };
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
    get: ({ target }) => ({ status: 200, body: showTagged(find(target.path)) }),
    list: ({ target }) => {
      const zone = existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), zoneType);
      return { status: 200, body: { value: store.within(zone.id, type).map(showTagged) } };
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

/** `…/{zone}/all` and its like. */
function listOf(kernel: Kernel, { zoneType }: Dialect, name: string): ResourceType {
  const list: Handler = ({ target }) => {
    const zone = existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), zoneType);
    const below = kernel.store.within(zone.id).filter(({ id }) => keyOf(parentId(id)) === keyOf(zone.id));
    return { status: 200, body: { value: below.map(showTagged) } };
  };
  return { type: `${zoneType}/${name}`, list };
}
