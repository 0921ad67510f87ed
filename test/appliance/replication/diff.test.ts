import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunkBytes, pieceBytes } from '../../../appliance/replication/blocks.ts';
import { difference } from '../../../appliance/replication/diff.ts';
import { digest, roomFor } from '../../../appliance/replication/hashing.ts';

const chunks = 4;
const size = chunks * chunkBytes;

function digestsOf(content: Buffer) {
  const digests = roomFor(content.length);
  digest(content, digests);
  return digests;
}

const content = fc
  .array(fc.record({ piece: fc.nat(63), count: fc.integer({ min: 1, max: 20 }), value: fc.nat(2) }), { maxLength: 6 })
  .map((writes) => {
    const bytes = Buffer.alloc(size);
    for (const { piece, count, value } of writes)
      bytes.subarray(piece * pieceBytes, (piece + count) * pieceBytes).fill(value);
    return bytes;
  });

it('what is put and cleared makes any content equal to any other', () => {
  fc.assert(
    fc.property(content, content, fc.boolean(), (before, now, isKnown) => {
      const { puts, clears } = difference(isKnown ? digestsOf(before) : undefined, digestsOf(now), true);
      const blob = Buffer.from(before);
      for (const { start, stop } of puts) now.copy(blob, start, start, stop);
      for (const { start, stop } of clears) blob.fill(0, start, stop);
      expect(blob.equals(now)).toBe(true);
    }),
  );
});

it('nothing is written twice, nor into a chunk that it does not name', () => {
  fc.assert(
    fc.property(content, content, (before, now) => {
      const { puts, clears, chunks: named } = difference(digestsOf(before), digestsOf(now), true);
      const writes = [...puts, ...clears].sort((a, b) => a.start - b.start);
      for (const [index, { start, stop }] of writes.entries()) {
        expect(stop).toBeGreaterThan(start);
        expect(start).toBeGreaterThanOrEqual(writes[index - 1]?.stop ?? 0);
        for (let at = start; at < stop; at += pieceBytes) expect(named).toContain(Math.floor(at / chunkBytes));
      }
    }),
  );
});

it('of a changed chunk only the changed 4 KiB are written, and changes that touch go together', () => {
  const before = Buffer.alloc(size, 1);
  const now = Buffer.from(before);
  now[3 * pieceBytes + 5] = 2;
  now[4 * pieceBytes] = 2;
  now[2 * chunkBytes] = 2;
  expect(difference(digestsOf(before), digestsOf(now), false)).toEqual({
    puts: [
      { start: 3 * pieceBytes, stop: 5 * pieceBytes },
      { start: 2 * chunkBytes, stop: 2 * chunkBytes + pieceBytes },
    ],
    clears: [],
    chunks: [0, 2],
  });
});

it('a gap that costs less than a request is sent along', () => {
  const before = Buffer.alloc(size, 1);
  const now = Buffer.from(before);
  for (const piece of [0, 9, 19]) now[piece * pieceBytes] = 2;
  expect(difference(digestsOf(before), digestsOf(now), false).puts).toEqual([
    { start: 0, stop: 10 * pieceBytes },
    { start: 19 * pieceBytes, stop: 20 * pieceBytes },
  ]);
});

it('on a blob that holds nothing zeros cost nothing, on one that may hold data they are cleared', () => {
  const now = digestsOf(Buffer.alloc(size));
  expect(difference(undefined, now, false)).toEqual({ puts: [], clears: [], chunks: [] });
  expect(difference(undefined, now, true)).toEqual({
    puts: [],
    clears: [{ start: 0, stop: size }],
    chunks: [0, 1, 2, 3],
  });
});

it('a chunk whose hash differs while no print does is written whole', () => {
  const before = digestsOf(Buffer.alloc(size, 1));
  const now = digestsOf(Buffer.alloc(size, 2));
  now.prints.set(before.prints);
  expect(difference(before, now, false).puts).toEqual([{ start: 0, stop: size }]);
});
