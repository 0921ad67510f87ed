// Records that live shorter than they did, around a cutover: kept in the state, so that whoever puts them back, in whatever
// attempt, knows how long they lived before anybody lowered them.
import { z } from 'zod';
import { Instant } from '../model/ids.ts';

const RecordName = { zoneId: z.string(), record: z.string(), type: z.enum(['A', 'AAAA', 'CNAME']) };

export const ttlEventData = {
  /** What is about to be lowered: written before the first record is. */
  'landfall.ttl.lowering': z.strictObject({
    records: z.array(z.strictObject({ ...RecordName, wasSeconds: z.int(), seconds: z.int() })),
  }),
  /** It is lowered; nobody who keeps to the time to live has an older answer after `clearAt`. */
  'landfall.ttl.lowered': z.strictObject({ clearAt: Instant }),
  /** Records live as long as they did, or as the plan says. */
  'landfall.ttl.restored': z.strictObject({ reason: z.string() }),
} as const;

export interface LoweredRecord {
  zoneId: string;
  record: string;
  type: 'A' | 'AAAA' | 'CNAME';
  wasSeconds: number;
}

export interface LoweredTtl {
  records: LoweredRecord[];
  /** When all answers from before have run out; absent: nobody knows yet whether they were lowered. */
  clearAt?: string | undefined;
}

type TtlEvent = {
  [T in keyof typeof ttlEventData]: { type: T; data: z.infer<(typeof ttlEventData)[T]> };
}[keyof typeof ttlEventData];

/** The lowered records after one more entry; what they lived before is what was found first. */
export function ttlAfter(ttl: LoweredTtl | undefined, event: TtlEvent): LoweredTtl | undefined {
  switch (event.type) {
    case 'landfall.ttl.lowering': {
      const known = ttl?.records ?? [];
      const added = event.data.records.filter((one) => !known.some((other) => sameRecord(one, other)));
      return { ...ttl, records: [...known, ...added.map(({ seconds: _, ...one }) => one)] };
    }
    case 'landfall.ttl.lowered': {
      const { clearAt } = event.data;
      const later = ttl?.clearAt !== undefined && ttl.clearAt > clearAt ? ttl.clearAt : clearAt;
      return { records: ttl?.records ?? [], clearAt: later };
    }
    case 'landfall.ttl.restored':
      return undefined;
  }
}

/** Azure compares ids and names of records without case. */
export function sameRecord(a: Omit<LoweredRecord, 'wasSeconds'>, b: Omit<LoweredRecord, 'wasSeconds'>): boolean {
  const keyOf = ({ zoneId, type, record }: typeof a) => `${zoneId}/${type}/${record}`.toLowerCase();
  return keyOf(a) === keyOf(b);
}
