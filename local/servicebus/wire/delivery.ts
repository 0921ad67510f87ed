// The bytes of a delivery: the sender's message with the broker's header and annotations put in front, and the
// properties that settlements added merged into its application properties. Body and properties stay as sent.
import { described, mapEntries, type Section, section, splitSections } from './message.ts';
import { Scratch } from './scratch.ts';
import { elements, encodeMap, encodeString, encodeSymbol } from './values.ts';

export const messageState = { active: 0, deferred: 1, scheduled: 2 } as const;

/** What the broker says about a message when it hands it out. */
export interface Stamp {
  sequenceNumber: number;
  enqueuedSequenceNumber: number;
  enqueuedAt: number;
  deliveryCount: number;
  lockedUntil?: number | undefined;
  state: keyof typeof messageState;
  deadLetterSource?: string | undefined;
  visibleAt: number;
  expiresAt: number;
  extra: ReadonlyMap<string, Buffer>;
}

const keys = {
  sequenceNumber: 'x-opt-sequence-number',
  enqueuedSequenceNumber: 'x-opt-enqueue-sequence-number',
  enqueuedAt: 'x-opt-enqueued-time',
  lockedUntil: 'x-opt-locked-until',
  state: 'x-opt-message-state',
  deadLetterSource: 'x-opt-deadletter-source',
} as const;
const ours = new Set<string>(Object.values(keys));
const symbols = Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, encodeSymbol(key)])) as Record<
  keyof typeof keys,
  Buffer
>;

/** AMQP 1.0 type codes. */
const code = { null: 0x40, list8: 0xc0, map32: 0xd1, uint: 0x70, int: 0x71, long: 0x81, timestamp: 0x83 } as const;
const scratch = new Scratch();
const longestTtl = 0xffff_ffff;
const empty = Buffer.alloc(0);

const find = (sections: readonly Section[], wanted: number): Section | undefined => {
  for (const part of sections) if (part.code === wanted) return part;
  return undefined;
};

function putHeader(raw: Buffer, header: Section | undefined, stamp: Stamp): void {
  const fields = header ? elements(raw, header.value) : [];
  scratch.byte(0).byte(0x53).byte(section.header).byte(code.list8);
  const start = scratch.length;
  scratch.byte(0).byte(5);
  for (const field of [fields[0], fields[1]]) {
    if (field) scratch.bytes(field);
    else scratch.byte(code.null);
  }
  // The time to live that counts; the entity's may be shorter than the sender's.
  if (Number.isFinite(stamp.expiresAt)) {
    scratch.byte(code.uint).uint32(Math.min(stamp.expiresAt - stamp.visibleAt, longestTtl));
  } else if (fields[2]) scratch.bytes(fields[2]);
  else scratch.byte(code.null);
  scratch.byte(code.null).byte(code.uint).uint32(stamp.deliveryCount);
  scratch.patchByte(scratch.length - start - 1, start);
}

function putAnnotations(raw: Buffer, notes: Section | undefined, stamp: Stamp): void {
  scratch.byte(0).byte(0x53).byte(section.messageAnnotations).byte(code.map32);
  const start = scratch.length;
  scratch.uint32(0).uint32(0);
  let count = 0;
  const put = (key: keyof typeof keys, type: number, value: number) => {
    count += 2;
    scratch.bytes(symbols[key]).byte(type);
    if (type === code.int) scratch.uint32(value);
    else scratch.int64(value);
  };
  if (notes) {
    for (const [key, value] of mapEntries(raw, notes.value)) {
      if (ours.has(key)) continue;
      count += 2;
      scratch.bytes(encodeSymbol(key)).bytes(value);
    }
  }
  put('sequenceNumber', code.long, stamp.sequenceNumber);
  put('enqueuedSequenceNumber', code.long, stamp.enqueuedSequenceNumber);
  put('enqueuedAt', code.timestamp, stamp.enqueuedAt);
  put('state', code.int, messageState[stamp.state]);
  if (stamp.lockedUntil !== undefined) put('lockedUntil', code.timestamp, stamp.lockedUntil);
  if (stamp.deadLetterSource) {
    count += 2;
    scratch.bytes(symbols.deadLetterSource).bytes(encodeString(stamp.deadLetterSource));
  }
  scratch.patch(scratch.length - start - 4, start).patch(count, start + 4);
}

/** The message as a receiver gets it, or somebody who peeks and may not want the body. */
export function buildDelivery(raw: Buffer, stamp: Stamp, withBody = true): Buffer {
  const sections = splitSections(raw);
  scratch.reset();
  putHeader(raw, find(sections, section.header), stamp);
  putAnnotations(raw, find(sections, section.messageAnnotations), stamp);
  const properties = find(sections, section.properties);
  const application = find(sections, section.applicationProperties);
  const body = sections.find((part) => part.code > section.applicationProperties);
  const kept = properties ? raw.subarray(properties.start, properties.end) : empty;
  const tail = withBody && body ? raw.subarray(body.start) : empty;
  if (stamp.extra.size > 0) return scratch.toBuffer(kept, merged(raw, application, stamp.extra), tail);
  return scratch.toBuffer(kept, application ? raw.subarray(application.start, application.end) : empty, tail);
}

function merged(raw: Buffer, application: Section | undefined, extra: Stamp['extra']): Buffer {
  const entries = application ? mapEntries(raw, application.value) : new Map<string, Buffer>();
  for (const [key, value] of extra) entries.set(key, value);
  const flat = [...entries].flatMap(([key, value]) => [encodeString(key), value]);
  return described(section.applicationProperties, encodeMap(flat));
}
