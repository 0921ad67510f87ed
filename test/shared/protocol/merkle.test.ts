import { createHash, hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { merkleRoot, rootOfRoots } from '../../../shared/protocol/merkle.ts';

const sha = (...parts: Uint8Array[]): Buffer => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
};

/** The definition of RFC 9162, section 2.1.1, word for word: split at the largest power of two below n. */
function byDefinition(leaves: Uint8Array[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return sha();
  if (leaves.length === 1) return sha(Buffer.of(0), first);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha(Buffer.of(1), byDefinition(leaves.slice(0, k)), byDefinition(leaves.slice(k)));
}

it('is the Merkle tree hash of RFC 9162 for any number of blocks', () => {
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.array(digest, { maxLength: 40 }), (leaves) => {
      expect(merkleRoot(Buffer.concat(leaves))).toBe(byDefinition(leaves).toString('hex'));
    }),
  );
});

it('tells a block from a node, one order from another, and a disk from its only block', () => {
  const [a, b] = [sha(Buffer.of(1)), sha(Buffer.of(2))];
  expect(merkleRoot(Buffer.concat([a, b]))).not.toBe(merkleRoot(Buffer.concat([b, a])));
  expect(merkleRoot(a)).not.toBe(a.toString('hex'));
  expect(rootOfRoots([merkleRoot(a)])).not.toBe(merkleRoot(a));
  expect(merkleRoot(new Uint8Array(0))).toBe(hash('sha256', ''));
  expect(() => merkleRoot(new Uint8Array(31))).toThrow(RangeError);
});
