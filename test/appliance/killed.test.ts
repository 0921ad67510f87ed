// A process that is really killed, and what it has left: its records are read as the next process would find them.
import { cpSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { blockBytes } from '../../appliance/replication/blocks.ts';
import { Ledger } from '../../appliance/replication/ledger.ts';
import { Store } from '../../appliance/state/store.ts';
import { startSync } from './startSync.ts';
import { startWorld, type World } from './world.ts';

const MIB = 2 ** 20;
vi.setConfig({ testTimeout: 60_000 });

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

it('an appliance killed in the middle of a copy has less than three seconds of it to send again', async () => {
  const sizeBytes = 96 * MIB;
  const bytesPerSecond = 8 * MIB;
  const path = join(world.folder, 'os.img');
  const file = await open(path, 'w');
  for (let block = 0; block < sizeBytes / blockBytes; block++) await file.write(Buffer.alloc(blockBytes, 1 + block));
  await file.close();
  const blob = await world.stage('os', sizeBytes);
  const pace = [{ from: '2026-01-01T00:00:00.000Z', bytesPerSecond }];
  /** Blocks that have arrived. */
  const arrived = async () => {
    const blocks: number[] = [];
    for await (const { start, end } of blob.listPageRanges(0, sizeBytes))
      for (let at = start; at < end; at += blockBytes) blocks.push(at / blockBytes);
    return blocks;
  };
  const appliance = world.appliance();
  await world.command(startSync('s1', 'initial', { path, sizeBytes }, { pace }));
  const copiedSeconds = 4;
  await expect
    .poll(async () => (await arrived()).length * blockBytes, { interval: 50, timeout: 30_000 })
    .toBeGreaterThanOrEqual(copiedSeconds * bytesPerSecond);
  await appliance.kill();

  const sent = await arrived();
  const left = join(world.folder, 'left');
  cpSync(world.stateDir, left, { recursive: true });
  const store = Store.open(left);
  const unknown = new Set(new Ledger(store, 'wave/web', 'os', sizeBytes).unknown());
  store.close();
  const lost = sent.filter((block) => unknown.has(block)).length * blockBytes;
  expect(sent.length * blockBytes).toBeGreaterThanOrEqual(copiedSeconds * bytesPerSecond);
  // A checkpoint comes every second; without any, all of it would be lost.
  expect(lost).toBeLessThan(3 * bytesPerSecond);
});
