import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { blockHash, digest, roomFor } from '../../appliance/replication/hashing.ts';
import { blockBytes } from '../../appliance/replication/blocks.ts';
import { bundleProgram } from '../../tools/bundleProgram.ts';

const repository = join(import.meta.dirname, '../..');

/** Hashes a block once a thread is there to do it, and says who it was. */
const entry = (engine: string) => `
import { HashPool } from '${engine}/hashPool.ts';
import { allocateBlocks } from '${engine}/sharedBlock.ts';
import { blockHash } from '${engine}/hashing.ts';
const pool = new HashPool(1);
const [block] = allocateBlocks(1);
block.data.fill('landfall');
while (pool.threads < 1) {
  await pool.digest(block, 65536);
  await new Promise(setImmediate);
}
block.digests.chunks.fill(0);
await pool.digest(block, block.data.length);
process.stdout.write(blockHash(block.digests).toString('hex'));
`;

it('one file, anywhere, has the threads that hash for it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const source = join(folder, 'entry.ts');
  writeFileSync(source, entry(join(repository, 'appliance/replication')));
  const bundle = join(folder, 'program.mjs');
  const inputs = await bundleProgram(repository, source, bundle);
  expect(inputs).toContain('appliance/replication/hashing.ts');
  rmSync(source);

  const said = execFileSync(process.execPath, [bundle], { cwd: folder, encoding: 'utf8', timeout: 30_000 });
  const expected = roomFor(blockBytes);
  digest(Buffer.alloc(blockBytes, 'landfall'), expected);
  expect(said).toBe(blockHash(expected).toString('hex'));
});
