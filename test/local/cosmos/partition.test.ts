import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashV1, hashV2 } from '../../../local/cosmos/partition/hash.ts';
import { keyOfDocument, makeKey, parseKeyHeader, rangeOfKey } from '../../../local/cosmos/partition/key.ts';

type Hash = (parts: unknown[]) => string;
// The client's own functions, which it does not export: the files beside its entry point.
const folder = new URL('./utils/hashing/', import.meta.resolve('@azure/cosmos'));
const v1: { hashV1PartitionKey: Hash } = await import(new URL('v1.js', folder).href);
const v2: { hashV2PartitionKey: Hash } = await import(new URL('v2.js', folder).href);
const multi: { hashMultiHashPartitionKey: Hash } = await import(new URL('multiHash.js', folder).href);

const part = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 150 }),
  fc.string({ maxLength: 40 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
);
const hierarchical = { paths: ['/a', '/b', '/c'], kind: 'MultiHash' as const, version: 2 };

describe('the place of a partition key in the hash range', () => {
  it('is the one that the client computes, version 1', () => {
    fc.assert(fc.property(part, (value) => void expect(hashV1(value)).toBe(v1.hashV1PartitionKey([value]))));
  });

  it('is the one that the client computes, version 2', () => {
    fc.assert(fc.property(part, (value) => void expect(hashV2(value)).toBe(v2.hashV2PartitionKey([value]))));
  });

  it('is the one that the client computes, hierarchical', () => {
    const parts = fc.array(part, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        parts,
        (values) => void expect(makeKey(hierarchical, values).epk).toBe(multi.hashMultiHashPartitionKey(values)),
      ),
    );
  });

  it('of a longer key lies in the range of each of its prefixes', () => {
    const parts = fc.array(part, { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(parts, fc.integer({ min: 1, max: 3 }), (values, length) => {
        const { min, max } = rangeOfKey(makeKey(hierarchical, values.slice(0, length)));
        const { epk } = makeKey(hierarchical, values);
        expect(min <= epk && epk < max).toBe(true);
      }),
    );
  });
});

describe('a partition key', () => {
  it('of a document equals the one in the header', () => {
    const definition = { paths: ['/a/b', '/"c d"'], kind: 'MultiHash' as const, version: 2 };
    const key = keyOfDocument(definition, { a: { b: 'x' }, 'c d': 1 });
    expect(parseKeyHeader(definition, '["x",1]')).toEqual(key);
    expect(parseKeyHeader(definition, '["x"]').isPrefix).toBe(true);
    expect(keyOfDocument(definition, {})).toEqual(parseKeyHeader(definition, '[{},{}]'));
  });

  it('with too many values, or a value that is no scalar, is refused', () => {
    const definition = { paths: ['/a'], version: 2 };
    expect(() => parseKeyHeader(definition, '["x","y"]')).toThrow(/wrong number/);
    expect(() => parseKeyHeader(definition, '[[1]]')).toThrow(/must be a string/);
    expect(() => parseKeyHeader(definition, 'x')).toThrow(/not JSON/);
  });
});
