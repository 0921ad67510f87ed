// A bitmap that lies: chunks drawn at random, most of which it says have not changed, are read and compared with the
// manifest all the same. That finds one that was cleared or not kept, on a large disk not for certain but soon.
import { randomInt } from 'node:crypto';
import { chunkBytes, chunksPerBlock } from './blocks.ts';
import type { Copy } from './copyDisk.ts';
import { digestParts } from './digestParts.ts';
import { hashOf } from './hashing.ts';
import { chunkPart, type Part } from './plan.ts';

const drawn = 256;

/** Where the source differs from the manifest although everything that changed was copied: undefined, or the first byte. */
export async function auditBitmap(copy: Copy): Promise<number | undefined> {
  const { source, ledger, memory, signal, onDone } = copy;
  const differing: number[] = [];
  await digestParts({
    parts: sample(copy),
    memory,
    signal,
    async read(offset, buffer, either) {
      await source.read(offset, buffer, either);
      onDone({ read: buffer.length });
    },
    async use({ block, compared }, found) {
      const expected = ledger.get(block);
      // It was read back damaged, and is sent again whole.
      if (!expected) return;
      let at = 0;
      for (const { start, stop } of compared)
        for (let byte = start; byte < stop; byte += chunkBytes) {
          const chunk = (byte / chunkBytes) % chunksPerBlock;
          if (Buffer.compare(hashOf(found, at++), hashOf(expected, chunk)) !== 0) differing.push(byte);
        }
    },
  });
  return differing.length === 0 ? undefined : Math.min(...differing);
}

async function* sample({ source: { sizeBytes }, diskBytes }: Copy): AsyncGenerator<Part> {
  const chunks = Math.ceil(sizeBytes / chunkBytes);
  const chosen = new Set<number>();
  if (chunks <= drawn) for (let chunk = 0; chunk < chunks; chunk++) chosen.add(chunk);
  while (chosen.size < Math.min(drawn, chunks)) chosen.add(randomInt(chunks));
  const byBlock = new Map<number, bigint>();
  for (const chunk of [...chosen].sort((a, b) => a - b)) {
    const block = Math.floor(chunk / chunksPerBlock);
    byBlock.set(block, (byBlock.get(block) ?? 0n) | (1n << BigInt(chunk % chunksPerBlock)));
  }
  for (const [block, bits] of byBlock) yield chunkPart(block, bits, diskBytes, sizeBytes);
}
