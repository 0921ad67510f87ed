// A message as the sender's bytes, cut into its sections
// (https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-messaging-v1.0-os.html, section 3.2).
import {
  elements,
  encodeList,
  encodeString,
  type Exact,
  nullValue,
  readExact,
  readValue,
  skipValue,
} from './values.ts';

export const section = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
} as const;

/** One section: its descriptor code, and where its value and its end are in the message. */
export interface Section {
  code: number;
  start: number;
  value: number;
  end: number;
}

export function splitSections(raw: Buffer): Section[] {
  const sections: Section[] = [];
  let at = 0;
  while (at < raw.length) {
    if (raw.readUInt8(at) !== 0) throw new RangeError('A message section must start with a descriptor');
    const value = skipValue(raw, at + 1);
    const end = skipValue(raw, value);
    if (end > raw.length) throw new RangeError('A message section is cut short');
    sections.push({ code: Number(readValue(raw, at + 1)), start: at, value, end });
    at = end;
  }
  return sections;
}

/** A described section around an encoded value. */
export const described = (code: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x00, 0x53, code]), value]);

/** The messages inside the envelope of a batch (message format 0x80013700: one message per data section). */
export function splitBatch(envelope: Buffer): Buffer[] {
  return splitSections(envelope)
    .filter((part) => part.code === section.data)
    .map((part) => readValue(envelope, part.value))
    .filter((body): body is Buffer => Buffer.isBuffer(body));
}

/** What the broker must know of a message. `raw` is the message's own copy, with a message id even if none was sent. */
export interface Facts {
  raw: Buffer;
  messageId: string;
  correlationId?: string;
  to?: string;
  subject?: string;
  replyTo?: string;
  contentType?: string;
  sessionId?: string;
  replyToSessionId?: string;
  ttl?: number;
  scheduledAt?: number | undefined;
  /** Application properties, decoded only where somebody asks: most messages pass no rule that does. */
  application(): ReadonlyMap<string, Exact>;
}

/** `key → encoded value` of a map section, without decoding the values. */
export function mapEntries(raw: Buffer, at: number): Map<string, Buffer> {
  const parts = elements(raw, at);
  const entries = new Map<string, Buffer>();
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const key = parts[i];
    const value = parts[i + 1];
    if (key && value) entries.set(String(readValue(key, 0)), value);
  }
  return entries;
}

const text = (bytes: Buffer | undefined): string | undefined => {
  if (!bytes) return undefined;
  const value = readValue(bytes, 0);
  return value === null ? undefined : Buffer.isBuffer(value) ? value.toString('hex') : String(value);
};

/** Reads a sent message and gives it a message id if it has none (the client's lock renewer needs one on receipt). */
export function readMessage(bytes: Buffer, newId: () => string): Facts {
  const facts: Facts = { raw: bytes, messageId: '', application: () => new Map() };
  const sections = splitSections(bytes);
  let properties: Buffer[] = [];
  for (const part of sections) {
    if (part.code === section.header) {
      const ttl = elements(bytes, part.value)[2];
      const value = ttl ? readValue(ttl, 0) : null;
      if (typeof value === 'number') facts.ttl = value;
    } else if (part.code === section.messageAnnotations) {
      const scheduled = mapEntries(bytes, part.value).get('x-opt-scheduled-enqueue-time');
      const value = scheduled ? readValue(scheduled, 0) : null;
      if (value instanceof Date) facts.scheduledAt = value.getTime();
    } else if (part.code === section.properties) {
      properties = elements(bytes, part.value);
    } else if (part.code === section.applicationProperties) {
      let decoded: Map<string, Exact> | undefined;
      facts.application = () => {
        decoded ??= new Map([...mapEntries(bytes, part.value)].map(([key, value]) => [key, readExact(value, 0)]));
        return decoded;
      };
    }
  }
  const named = {
    correlationId: text(properties[5]),
    to: text(properties[2]),
    subject: text(properties[3]),
    replyTo: text(properties[4]),
    contentType: text(properties[6]),
    sessionId: text(properties[10]),
    replyToSessionId: text(properties[12]),
  };
  for (const [key, value] of Object.entries(named)) if (value !== undefined) Object.assign(facts, { [key]: value });
  const id = text(properties[0]);
  facts.messageId = id ?? newId();
  facts.raw = id === undefined ? withMessageId(bytes, sections, properties, facts.messageId) : Buffer.from(bytes);
  return facts;
}

function withMessageId(bytes: Buffer, sections: Section[], properties: Buffer[], id: string): Buffer {
  const list = encodeList([encodeString(id), ...(properties.length ? properties.slice(1) : [nullValue])]);
  const old = sections.find((part) => part.code === section.properties);
  const next = sections.find((part) => part.code > section.properties);
  const start = old?.start ?? next?.start ?? bytes.length;
  return Buffer.concat([
    bytes.subarray(0, start),
    described(section.properties, list),
    bytes.subarray(old ? old.end : start),
  ]);
}
