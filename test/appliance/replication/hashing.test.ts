import { createHash, randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { blockBytes, chunkBytes, pieceBytes } from '../../../appliance/replication/blocks.ts';
import {
  blockHash,
  digest,
  isAllZero,
  isZeroPrint,
  roomFor,
  zeroDigests,
} from '../../../appliance/replication/hashing.ts';
import { HashPool } from '../../../appliance/replication/hashPool.ts';
import { allocateBlocks, type SharedBlock } from '../../../appliance/replication/sharedBlock.ts';

const sha = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** The definition, word for word. */
function hashOfBlock(block: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk = 0; chunk < block.length; chunk += chunkBytes) {
    const pieces: Buffer[] = [];
    for (let at = chunk; at < chunk + chunkBytes; at += pieceBytes)
      pieces.push(sha(block.subarray(at, at + pieceBytes)));
    chunks.push(sha(Buffer.concat(pieces)));
  }
  return sha(Buffer.concat(chunks));
}

it('a block’s hash is the SHA-256 over its chunks’, a chunk’s that over its pieces’', () => {
  const block = randomBytes(3 * chunkBytes);
  block.fill(0, pieceBytes, 2 * pieceBytes);
  block.fill(0, chunkBytes, 2 * chunkBytes);
  const digests = roomFor(block.length);
  digest(block, digests);
  expect(blockHash(digests)).toEqual(hashOfBlock(block));
  expect([0, 1, 2, 16, 32].map((piece) => isZeroPrint(digests.prints, piece))).toEqual([
    false,
    true,
    false,
    true,
    false,
  ]);
});

it('zeros are known without being hashed', () => {
  const digests = roomFor(2 * chunkBytes);
  digests.prints.fill(9);
  digest(Buffer.alloc(2 * chunkBytes), digests);
  expect(Buffer.compare(digests.chunks, zeroDigests(2 * chunkBytes).chunks)).toBe(0);
  expect(Buffer.compare(digests.prints, zeroDigests(2 * chunkBytes).prints)).toBe(0);
  expect(isAllZero(digests)).toBe(true);
  expect(blockHash(digests)).toEqual(hashOfBlock(Buffer.alloc(2 * chunkBytes)));
});

/** The first blocks are hashed by this thread, for the others have not started. */
async function started(pool: HashPool, threads: number, blocks: readonly SharedBlock[]): Promise<void> {
  while (pool.threads < threads) {
    await Promise.all(blocks.map((block) => pool.digest(block, blockBytes)));
    await new Promise(setImmediate);
  }
}

it('threads give the digests that this thread gives, each block its own', async () => {
  const pool = new HashPool(2);
  const blocks = allocateBlocks(3);
  for (const [index, block] of blocks.entries()) {
    block.data.fill(index + 1);
    block.data.set(randomBytes(1000), index * chunkBytes);
  }
  await started(pool, 2, blocks);
  for (const { digests } of blocks) digests.chunks.fill(0);
  await Promise.all(blocks.map((block) => pool.digest(block, blockBytes)));
  for (const block of blocks) {
    const expected = roomFor(blockBytes);
    digest(block.data, expected);
    expect(Buffer.compare(block.digests.chunks, expected.chunks)).toBe(0);
    expect(Buffer.compare(block.digests.prints, expected.prints)).toBe(0);
  }
  pool.rest();
});

it('a thread that dies fails what it was asked, and the next block gets another one', async () => {
  const pool = new HashPool(1);
  const [block] = allocateBlocks(1);
  if (!block) throw new Error('no block');
  await started(pool, 1, [block]);
  // It dies of memory that there is not.
  await expect(pool.digest({ ...block, at: block.memory.byteLength }, chunkBytes)).rejects.toThrow(RangeError);
  expect(pool.threads).toBe(0);
  await pool.digest(block, chunkBytes);
  expect(isAllZero({ ...block.digests, chunks: block.digests.chunks.subarray(0, 32) })).toBe(true);
  pool.rest();
});

it('whoever comes after a thread that could not start is told why', async () => {
  const pool = new HashPool(1, new URL('data:text/javascript,throw new Error("no threads here")'));
  const [block] = allocateBlocks(1);
  if (!block) throw new Error('no block');
  await pool.digest(block, chunkBytes);
  const told = vi.waitUntil(
    async () =>
      pool.digest(block, chunkBytes).then(
        () => false,
        (error: Error) => error,
      ),
    5000,
  );
  expect(await told).toMatchObject({ message: 'no threads here' });
  expect(pool.threads).toBe(0);
  pool.rest();
});
