import { z } from 'zod';
import type { DnsRecord } from '../azure/contract.ts';
import { terminal } from '../errors.ts';
import { ArmId } from '../model/ids.ts';
import { estimate } from '../policy/fit/estimate.ts';
import { type Action, defineAction, type Place, type Reach } from './action.ts';
import { named } from './named.ts';

const targetAddress = '{target.ip}';

const schema = z.strictObject({
  kind: z.literal('dns'),
  ...named,
  zoneId: ArmId,
  record: z.string().min(1).max(63),
  type: z.enum(['A', 'CNAME']),
  value: z.string().min(1).max(253),
  ttlSeconds: z.int().min(1).max(86_400).default(60),
});
type Dns = z.infer<typeof schema>;

/** Points a record set at the target: the traffic moves. */
export const dns: Action<typeof schema> = defineAction({
  schema,
  time: estimate(5, 60),
  needs: ['A', 'CNAME'].flatMap((type) =>
    ['read', 'write', 'delete'].map((verb) => `Microsoft.Network/dnsZones/${type}/${verb}`),
  ),
  movesTraffic: () => true,
  async run(reach, place, action) {
    const { zoneId, record, type, ttlSeconds } = action;
    const before = await reach.azure.dns.get(zoneId, record, type);
    const wanted: DnsRecord = { ttlSeconds, values: await valuesFor(reach, place, action) };
    await reach.azure.dns.set(zoneId, record, type, wanted);
    return { before: spell(before), after: spell(wanted) };
  },
  async look(reach, place, action) {
    const { zoneId, record, type } = action;
    const is = await reach.azure.dns.get(zoneId, record, type);
    return { is: spell(is), wanted: (await valuesFor(reach, place, action)).join(', ') };
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

function spell(record: DnsRecord | undefined): string {
  return record?.values.join(', ') ?? 'absent';
}

async function valuesFor({ azure }: Reach, { environment, machine }: Place, { record, value }: Dns): Promise<string[]> {
  if (!value.includes(targetAddress)) return [value];
  const address = await azure.compute.privateAddress(environment, machine);
  if (address !== undefined) return [value.replaceAll(targetAddress, address)];
  throw terminal(
    'notFound',
    `The target ${machine} has no private address that ${record} could lead to.`,
    'Look at its network interface in Azure, then retry or roll back.',
  );
}
