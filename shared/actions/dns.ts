import { z } from 'zod';
import type { DnsRecord, DnsType } from '../azure/contract.ts';
import { terminal } from '../errors.ts';
import { ArmId } from '../model/ids.ts';
import { estimate } from '../policy/fit/estimate.ts';
import { type Action, defineAction, type Place, type Reach } from './action.ts';
import { named } from './named.ts';

const targetAddress = '{target.ip}';
const Value = z.string().min(1).max(253);

const ZoneId = ArmId.regex(
  /\/providers\/Microsoft\.Network\/(private)?dnsZones\/[^/]+$/i,
  'use the id of a DNS zone: it ends with /providers/Microsoft.Network/dnsZones/{name}, or …/privateDnsZones/{name}',
);
const isPrivate = (zoneId: string): boolean => /\/privateDnsZones\//i.test(zoneId);

const schema = z
  .strictObject({
    kind: z.literal('dns'),
    ...named,
    zoneId: ZoneId,
    record: z.string().min(1).max(63),
    type: z.enum(['A', 'AAAA', 'CNAME']),
    value: z.union([Value, z.array(Value).min(1).max(20)]).describe('one value, or all of the record set'),
    ttlSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .optional()
      .describe('what the record lives for once the wave has committed; absent: as long as before'),
  })
  .superRefine(({ type, value }, context) => {
    const values = [value].flat();
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['value'], message });
    if (new Set(values).size < values.length) refuse('the same value stands twice: leave one of them out');
    if (type === 'CNAME' && values.length > 1) refuse('a CNAME record has one value: use an A record for several');
    for (const one of values) {
      const wrong = faultOf(one, type);
      if (wrong !== undefined) refuse(`"${one}" ${wrong}`);
    }
  });
type Dns = z.infer<typeof schema>;

/** What keeps a value from standing in a record of a type, and what would do. */
function faultOf(value: string, type: DnsType): string | undefined {
  if (value === targetAddress)
    return type === 'A' ? undefined : `is an IPv4 address, which no ${type} record holds: use a record of type A`;
  if (type === 'A')
    return z.ipv4().safeParse(value).success ? undefined : `is no IPv4 address: give one, or ${targetAddress}`;
  if (type === 'AAAA') return z.ipv6().safeParse(value).success ? undefined : 'is no IPv6 address: give one';
  return /^[\w-]+(\.[\w-]+)*\.?$/.test(value) ? undefined : 'is no host name: give one, such as web.example.com';
}

const types = ['A', 'AAAA', 'CNAME'] as const;

/** Points a record set at the target: the traffic moves. */
export const dns: Action<typeof schema> = defineAction({
  schema,
  time: estimate(5, 60),
  needs({ zoneId }) {
    const zone = `Microsoft.Network/${isPrivate(zoneId) ? 'privateDnsZones' : 'dnsZones'}`;
    return [
      `${zone}/read`,
      ...types.flatMap((type) => ['read', 'write', 'delete'].map((verb) => `${zone}/${type}/${verb}`)),
    ];
  },
  movesTraffic: () => true,
  record: ({ zoneId, record, type, ttlSeconds }) => ({ zoneId, record, type, afterwards: ttlSeconds }),
  async precheck({ azure }, _place, { zoneId, record, type }) {
    await azure.dns.requireZone(zoneId);
    // A name that is an alias is nothing else, and what is something else cannot become an alias.
    for (const other of types.filter((one) => (one === 'CNAME') !== (type === 'CNAME')))
      if ((await azure.dns.get(zoneId, record, other)) !== undefined)
        throw terminal(
          'conflict',
          `${record} in ${zoneId} is a record of type ${other}: beside a CNAME a name has no other record.`,
          `Remove that record or plan one of type ${other}, then retry; or roll back.`,
        );
  },
  async run(reach, place, action) {
    const { zoneId, record, type } = action;
    const before = await reach.azure.dns.get(zoneId, record, type);
    const wanted: DnsRecord = {
      ttlSeconds: ttlFor(place, action, before),
      values: await valuesFor(reach, place, action),
    };
    await reach.azure.dns.set(zoneId, record, type, wanted);
    return { before: spell(before), after: spell(wanted) };
  },
  async look(reach, place, action) {
    const { zoneId, record, type } = action;
    const is = await reach.azure.dns.get(zoneId, record, type);
    return { is: inOrder(is?.values), wanted: inOrder(await valuesFor(reach, place, action)) };
  },
  undo: {
    before: z.strictObject({ ttlSeconds: z.number(), values: z.array(z.string()) }).nullable(),
    time: estimate(5, 30),
    async capture({ azure }, _place, { zoneId, record, type }) {
      return (await azure.dns.get(zoneId, record, type)) ?? null;
    },
    async run({ azure }, _place, { zoneId, record, type }, before) {
      const now = (await azure.dns.get(zoneId, record, type)) ?? 'absent';
      if (before === null) await azure.dns.remove(zoneId, record, type);
      else await azure.dns.set(zoneId, record, type, before);
      return { before: now, after: before ?? 'absent' };
    },
    todo: ({ zoneId, record, type }, before) =>
      before === null
        ? `remove the DNS record ${type} ${record} from ${zoneId}`
        : `put the DNS record ${type} ${record} in ${zoneId} back to ${spell(before)} (TTL ${before.ttlSeconds} s)`,
  },
});

/**
 * Short while people may still change their minds, and never longer than it was. Only a time of its own is shortened here,
 * for only that is put back without anybody having written down what it was.
 */
function ttlFor({ ttl }: Place, { ttlSeconds }: Dns, before: DnsRecord | undefined): number {
  if (ttlSeconds === undefined) return before?.ttlSeconds ?? ttl.during;
  return ttl.lower ? Math.min(ttl.during, ttlSeconds) : ttlSeconds;
}

function spell(record: DnsRecord | undefined): string {
  return record?.values.join(', ') ?? 'absent';
}

/** A record set has no order. */
function inOrder(values: readonly string[] | undefined): string {
  return values?.toSorted().join(', ') ?? 'absent';
}

async function valuesFor({ azure }: Reach, { environment, machine }: Place, { record, value }: Dns): Promise<string[]> {
  const values = [value].flat();
  if (!values.includes(targetAddress)) return values;
  const address = await azure.compute.privateAddress(environment, machine);
  if (address !== undefined) return values.map((one) => (one === targetAddress ? address : one));
  throw terminal(
    'notFound',
    `The target ${machine} has no private address that ${record} could lead to.`,
    'Look at its network interface in Azure, then retry or roll back.',
  );
}
