// A message as the sender's bytes, cut into its sections
// (https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-messaging-v1.0-os.html, section 3.2).
import { Scratch } from './scratch.ts';
import { elements, encodeString, type Exact, offsets, readExact, readValue, skipValue } from './values.ts';

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
  const messages: Buffer[] = [];
  for (const part of splitSections(envelope)) {
    if (part.code !== section.data) continue;
    const body = readValue(envelope, part.value);
    if (Buffer.isBuffer(body)) messages.push(body);
  }
  return messages;
}

/** What the broker must know of a message. `raw` is the message's own copy, with a message id even if none was sent. */
export interface Facts {
  readonly raw: Buffer;
  readonly messageId: string;
  readonly correlationId: string | undefined;
  readonly to: string | undefined;
  readonly subject: string | undefined;
  readonly replyTo: string | undefined;
  readonly contentType: string | undefined;
  readonly sessionId: string | undefined;
  readonly replyToSessionId: string | undefined;
  readonly ttl: number | undefined;
  readonly scheduledAt: number | undefined;
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

/** Reads a sent message and gives it a message id if it has none (the client's lock renewer needs one on receipt). */
export const readMessage = (bytes: Buffer, newId: () => string): Facts => new SentMessage(bytes, newId);

/** Reads at once what every message is asked for, and the rest when somebody asks: most messages pass no rule. */
class SentMessage implements Facts {
  readonly raw: Buffer;
  readonly messageId: string;
  readonly ttl: number | undefined;
  readonly scheduledAt: number | undefined;
  readonly #bytes: Buffer;
  /** Where each property begins, and where the last one ends. */
  #properties: number[] = [];
  #application: Section | undefined;
  #decoded: Map<string, Exact> | undefined;

  constructor(bytes: Buffer, newId: () => string) {
    const sections = splitSections(bytes);
    for (const part of sections) {
      if (part.code === section.header) {
        const ttl = elements(bytes, part.value)[2];
        const value = ttl ? readValue(ttl, 0) : null;
        if (typeof value === 'number') this.ttl = value;
      } else if (part.code === section.messageAnnotations) {
        const scheduled = mapEntries(bytes, part.value).get('x-opt-scheduled-enqueue-time');
        const value = scheduled ? readValue(scheduled, 0) : null;
        if (value instanceof Date) this.scheduledAt = value.getTime();
      } else if (part.code === section.properties) this.#properties = offsets(bytes, part.value);
      else if (part.code === section.applicationProperties) this.#application = part;
    }
    this.#bytes = bytes;
    const id = this.#text(0);
    this.messageId = id ?? newId();
    const properties = this.#properties;
    this.raw = id === undefined ? withMessageId(bytes, sections, properties, this.messageId) : Buffer.from(bytes);
  }

  get to(): string | undefined {
    return this.#text(2);
  }

  get subject(): string | undefined {
    return this.#text(3);
  }

  get replyTo(): string | undefined {
    return this.#text(4);
  }

  get correlationId(): string | undefined {
    return this.#text(5);
  }

  get contentType(): string | undefined {
    return this.#text(6);
  }

  get sessionId(): string | undefined {
    return this.#text(10);
  }

  get replyToSessionId(): string | undefined {
    return this.#text(12);
  }

  #text(index: number): string | undefined {
    const at = this.#properties[index];
    // The last offset is no property's.
    if (at === undefined || index >= this.#properties.length - 1) return undefined;
    const value = readValue(this.#bytes, at);
    return value === null ? undefined : Buffer.isBuffer(value) ? value.toString('hex') : String(value);
  }

  application(): ReadonlyMap<string, Exact> {
    if (!this.#application) return new Map();
    this.#decoded ??= new Map(
      [...mapEntries(this.#bytes, this.#application.value)].map(([key, value]) => [key, readExact(value, 0)]),
    );
    return this.#decoded;
  }
}

const scratch = new Scratch();
const list32 = 0xd0;

function withMessageId(bytes: Buffer, sections: Section[], properties: number[], id: string): Buffer {
  const old = sections.find((part) => part.code === section.properties);
  const next = old ?? sections.find((part) => part.code > section.properties);
  const start = next?.start ?? bytes.length;
  scratch.reset().bytes(bytes.subarray(0, start)).byte(0).byte(0x53).byte(section.properties).byte(list32);
  const size = scratch.length;
  scratch
    .uint32(0)
    .uint32(Math.max(properties.length - 1, 1))
    .bytes(encodeString(id));
  const second = properties[1];
  if (second !== undefined) scratch.bytes(bytes.subarray(second, properties.at(-1)));
  scratch.patch(scratch.length - size - 4, size);
  return scratch.toBuffer(bytes.subarray(old ? old.end : start));
}
