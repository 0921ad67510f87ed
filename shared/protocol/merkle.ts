// The root that names a disk's content: a Merkle tree hash as in RFC 9162, section 2.1.1, over the hash of each block
// (https://www.rfc-editor.org/rfc/rfc9162#section-2.1.1). Leaves and nodes hash under different first bytes, so that no
// node can pass for a block.
import { hash } from 'node:crypto';

const hashBytes = 32;

/** A root over hashes that come one by one; it keeps one hash for each power of two in their number. */
export class MerkleTree {
  /** Roots of complete subtrees, the largest first; their sizes are the binary digits of the count. */
  readonly #roots: Buffer[] = [];
  readonly #leaf = Buffer.alloc(1 + hashBytes);
  readonly #node = Buffer.alloc(1 + 2 * hashBytes, 1);
  #count = 0;

  add(blockHash: Uint8Array): void {
    if (blockHash.length !== hashBytes) throw new RangeError('Hashes are 32 bytes each.');
    this.#leaf.set(blockHash, 1);
    let root: Buffer = hash('sha256', this.#leaf, 'buffer');
    for (let size = this.#count; size % 2 === 1; size = (size - 1) / 2) root = this.#join(this.#roots.pop(), root);
    this.#roots.push(root);
    this.#count++;
  }

  /** The root over what was added so far; in hex. */
  root(): string {
    const last = this.#roots.at(-1);
    if (!last) return hash('sha256', new Uint8Array(0), 'hex');
    // Joining from the right gives the tree that the RFC splits from above.
    return this.#roots
      .slice(0, -1)
      .reduceRight((right, left) => this.#join(left, right), last)
      .toString('hex');
  }

  #join(left: Buffer | undefined, right: Buffer): Buffer {
    if (!left) throw new Error('an odd count has a subtree to join');
    this.#node.set(left, 1);
    this.#node.set(right, 1 + hashBytes);
    return hash('sha256', this.#node, 'buffer');
  }
}

/** Root over hashes of 32 bytes each, laid end to end; in hex. */
export function merkleRoot(hashes: Uint8Array): string {
  const tree = new MerkleTree();
  for (let at = 0; at < hashes.length; at += hashBytes) tree.add(hashes.subarray(at, at + hashBytes));
  return tree.root();
}

/** Root over several roots, in their order: a workload's root over its disks'. */
export function rootOfRoots(roots: readonly string[]): string {
  return merkleRoot(Buffer.from(roots.join(''), 'hex'));
}
