import fc from 'fast-check';
import rhea from 'rhea';
import { describe, expect, it } from 'vitest';
import { buildDelivery } from '../../../../local/servicebus/wire/delivery.ts';
import { swapGuid, uuidBytes, uuidText } from '../../../../local/servicebus/wire/guid.ts';
import { readMessage, splitBatch, splitSections } from '../../../../local/servicebus/wire/message.ts';
import { encodeString, readValue, skipValue } from '../../../../local/servicebus/wire/values.ts';

const { types, message } = rhea;
const stamp = {
  sequenceNumber: 7,
  enqueuedSequenceNumber: 6,
  enqueuedAt: 5,
  ...{ visibleAt: 0, expiresAt: Number.POSITIVE_INFINITY },
  deliveryCount: 2,
  lockedUntil: 9,
  state: 'active' as const,
  extra: new Map<string, Buffer>(),
};

/** Sections that come after the application properties, and those before that the broker may not touch. */
const untouched = (raw: Buffer) =>
  splitSections(raw)
    .filter((part) => part.code >= 0x73)
    .map((part) => raw.subarray(part.start, part.end).toString('hex'));

describe('messages as bytes', () => {
  it('keeps properties, application properties and body byte for byte, whatever types they have', () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.integer().map((n) => types.wrap_int(n)),
      fc.integer().map((n) => types.wrap_long(n)),
      fc.double({ noNaN: true }).map((n) => types.wrap_double(n)),
      fc.nat().map((n) => types.wrap_ushort(n & 0xffff)),
      fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b)),
      fc.date({ noInvalidDate: true }).map((d) => types.wrap_timestamp(d.getTime())),
      fc.string().map((s) => types.wrap_symbol(s.replaceAll(/[^a-z]/g, 'x'))),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), scalar),
        fc.oneof(scalar, fc.array(scalar)),
        (application_properties, body) => {
          const sent = Buffer.from(message.encode({ message_id: 'm', application_properties, body }));
          const facts = readMessage(sent, () => 'unused');
          expect(facts.raw.equals(sent)).toBe(true);
          expect(untouched(buildDelivery(facts.raw, stamp))).toEqual(untouched(sent));
        },
      ),
    );
  });

  it('stamps header and annotations, and keeps those of the sender', () => {
    const sent = Buffer.from(
      message.encode({
        message_id: 'm',
        ttl: 60,
        durable: true,
        message_annotations: { 'x-opt-partition-key': 'p' },
        body: 1,
      }),
    );
    const seen = message.decode(
      buildDelivery(sent, { ...stamp, deadLetterSource: 'q', extra: new Map([['r', encodeString('why')]]) }),
    );
    expect(seen).toMatchObject({
      ttl: 60,
      durable: true,
      delivery_count: 2,
      body: 1,
      application_properties: { r: 'why' },
    });
    expect(seen.message_annotations).toMatchObject({
      'x-opt-partition-key': 'p',
      'x-opt-sequence-number': 7,
      'x-opt-enqueue-sequence-number': 6,
      'x-opt-locked-until': new Date(9),
      'x-opt-deadletter-source': 'q',
    });
  });

  it('invents a message id where there is none, with or without other properties', () => {
    for (const fields of [{ subject: 's' }, {}]) {
      const facts = readMessage(Buffer.from(message.encode({ ...fields, body: 1 })), () => 'made');
      expect(facts.messageId).toBe('made');
      expect(message.decode(facts.raw)).toMatchObject({ message_id: 'made', ...fields, body: 1 });
    }
  });

  it('takes a batch apart', () => {
    const parts = [1, 'two'].map((body) => Buffer.from(message.encode({ body })));
    const envelope = Buffer.from(message.encode({ body: message.data_sections(parts) }));
    expect(splitBatch(envelope).map((part) => message.decode(part).body)).toEqual([1, 'two']);
  });

  it('reads 64-bit integers without losing digits and refuses what is cut short', () => {
    const big = Buffer.from('8000112233445566ff', 'hex');
    expect(readValue(big, 0)).toBe(
      0x00112233445566ffn > BigInt(Number.MAX_SAFE_INTEGER) ? 0x00112233445566ffn : 0x00112233445566ff,
    );
    expect(() => splitSections(Buffer.from('005377b0ffffffff', 'hex'))).toThrow(RangeError);
    expect(() => skipValue(Buffer.from([0x10]), 0)).toThrow(RangeError);
  });

  it('swaps lock tokens into the byte order of a .NET Guid and back', () => {
    const uuid = '00112233-4455-6677-8899-aabbccddeeff';
    const tag = swapGuid(uuidBytes(uuid));
    expect(tag.toString('hex')).toBe('33221100554477668899aabbccddeeff');
    expect(uuidText(swapGuid(tag))).toBe(uuid);
  });
});
