// The root that names a disk's content: a Merkle tree hash as in RFC 9162, section 2.1.1, over the SHA-256 of each block
// (https://www.rfc-editor.org/rfc/rfc9162#section-2.1.1). Leaves and nodes hash under different first bytes, so that no
// node can pass for a block.
import { hash } from 'node:crypto';

export const hashBytes = 32;

/** Root over hashes of 32 bytes each, laid end to end; in hex. */
export function merkleRoot(hashes: Uint8Array): string {
  if (hashes.length % hashBytes !== 0) throw new RangeError('Hashes are 32 bytes each.');
  let count = hashes.length / hashBytes;
  if (count === 0) return hash('sha256', new Uint8Array(0), 'hex');
  const level = Buffer.alloc(hashes.length);
  const leaf = Buffer.alloc(1 + hashBytes);
  for (let index = 0; index < count; index++) {
    leaf.set(hashes.subarray(index * hashBytes, (index + 1) * hashBytes), 1);
    level.set(hash('sha256', leaf, 'buffer'), index * hashBytes);
  }
  const node = Buffer.alloc(1 + 2 * hashBytes, 1);
  // Pairing from the left and carrying an odd last node up gives the tree that the RFC splits from above.
  while (count > 1) {
    const pairs = count >> 1;
    for (let pair = 0; pair < pairs; pair++) {
      node.set(level.subarray(pair * 2 * hashBytes, (pair + 1) * 2 * hashBytes), 1);
      level.set(hash('sha256', node, 'buffer'), pair * hashBytes);
    }
    if (count % 2 === 1) level.copyWithin(pairs * hashBytes, (count - 1) * hashBytes, count * hashBytes);
    count = Math.ceil(count / 2);
  }
  return level.toString('hex', 0, hashBytes);
}

/** Root over several roots, in their order: a workload's root over its disks'. */
export function rootOfRoots(roots: readonly string[]): string {
  return merkleRoot(Buffer.from(roots.join(''), 'hex'));
}
