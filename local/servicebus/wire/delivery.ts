// The bytes of a delivery: the sender's message with the broker's header and annotations put in front, and the
// properties that settlements added merged into its application properties. Body and properties stay as sent.
import { described, mapEntries, section, splitSections } from './message.ts';
import {
  elements,
  encodeInt,
  encodeList,
  encodeLong,
  encodeMap,
  encodeString,
  encodeSymbol,
  encodeTimestamp,
  encodeUint,
  nullValue,
} from './values.ts';

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

const ours = [
  'x-opt-sequence-number',
  'x-opt-enqueue-sequence-number',
  'x-opt-enqueued-time',
  'x-opt-locked-until',
  'x-opt-message-state',
  'x-opt-deadletter-source',
];

function annotations(original: Map<string, Buffer>, stamp: Stamp): Buffer {
  for (const key of ours) original.delete(key);
  original.set('x-opt-sequence-number', encodeLong(stamp.sequenceNumber));
  original.set('x-opt-enqueue-sequence-number', encodeLong(stamp.enqueuedSequenceNumber));
  original.set('x-opt-enqueued-time', encodeTimestamp(stamp.enqueuedAt));
  original.set('x-opt-message-state', encodeInt(messageState[stamp.state]));
  if (stamp.lockedUntil !== undefined) original.set('x-opt-locked-until', encodeTimestamp(stamp.lockedUntil));
  if (stamp.deadLetterSource) original.set('x-opt-deadletter-source', encodeString(stamp.deadLetterSource));
  return encodeMap([...original].flatMap(([key, value]) => [encodeSymbol(key), value]));
}

const longestTtl = 0xffff_ffff;

/** The time to live that counts; the entity's may be shorter than the sender's. */
const ttlOf = ({ visibleAt, expiresAt }: Stamp): Buffer | undefined =>
  Number.isFinite(expiresAt) ? encodeUint(Math.min(expiresAt - visibleAt, longestTtl)) : undefined;

/** The message as a receiver gets it, or somebody who peeks and may not want the body. */
export function buildDelivery(raw: Buffer, stamp: Stamp, withBody = true): Buffer {
  const sections = splitSections(raw);
  const find = (code: number) => sections.find((part) => part.code === code);
  const header = find(section.header);
  const fields = header ? elements(raw, header.value) : [];
  const parts = [
    described(
      section.header,
      encodeList([
        fields[0] ?? nullValue,
        fields[1] ?? nullValue,
        ttlOf(stamp) ?? fields[2] ?? nullValue,
        nullValue,
        encodeUint(stamp.deliveryCount),
      ]),
    ),
  ];
  const notes = find(section.messageAnnotations);
  parts.push(
    described(section.messageAnnotations, annotations(notes ? mapEntries(raw, notes.value) : new Map(), stamp)),
  );
  const properties = find(section.properties);
  if (properties) parts.push(raw.subarray(properties.start, properties.end));
  const application = find(section.applicationProperties);
  if (stamp.extra.size === 0) {
    if (application) parts.push(raw.subarray(application.start, application.end));
  } else {
    const merged = application ? mapEntries(raw, application.value) : new Map<string, Buffer>();
    for (const [key, value] of stamp.extra) merged.set(key, value);
    const flat = [...merged].flatMap(([key, value]) => [encodeString(key), value]);
    parts.push(described(section.applicationProperties, encodeMap(flat)));
  }
  for (const part of sections) {
    if (withBody && part.code > section.applicationProperties) parts.push(raw.subarray(part.start, part.end));
  }
  return Buffer.concat(parts);
}
