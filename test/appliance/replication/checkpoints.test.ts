// What a process that is killed has done in vain, at every moment of a copy and on a clock of the test's own.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { blockBytes } from '../../../appliance/replication/blocks.ts';
import type { DiskSource } from '../../../appliance/sources/source.ts';
import { FakeTarget } from './fakeTarget.ts';
import { MemorySource } from './memorySource.ts';
import { OneDisk } from './oneDisk.ts';

let disk: OneDisk;
beforeEach(() => {
  disk = new OneDisk();
  // Only what checkpoints are made by.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
  disk.close();
});

/** Blocks that a process which is killed now has left behind as known. */
const durable = (): number => Number(disk.store.get('SELECT count(*) AS n FROM held WHERE known')?.['n']);

const blocks = 60;

/** The most, in milliseconds of copying, that a kill at any moment would have lost. */
async function mostLost(blockMs: number, checkpointMs?: number): Promise<{ sent: number; read: number }> {
  disk.checkpointMs = checkpointMs;
  const source = new MemorySource(Buffer.alloc(blocks * blockBytes));
  for (let block = 0; block < blocks; block++) source.bytes[block * blockBytes] = 7;
  const read = source.read.bind(source);
  source.read = async (offset, buffer) => {
    await read(offset, buffer);
    vi.advanceTimersByTime(blockMs);
  };
  const target = new FakeTarget(source.sizeBytes);
  const job = disk.job(source.sizeBytes);
  const most = { sent: 0, read: 0 };
  target.put = async (offset, data) => {
    await FakeTarget.prototype.put.call(target, offset, data);
    const next = disk.stored(job)?.disks['os']?.next ?? 0;
    most.sent = Math.max(most.sent, (target.puts - durable()) * blockMs);
    most.read = Math.max(most.read, (source.reads.length - next) * blockMs);
  };
  await disk.run(source, target, job);
  expect(target.puts).toBe(blocks);
  return most;
}

it('a process that is killed has copied less than five seconds in vain, whenever that is', async () => {
  const { sent, read } = await mostLost(200);
  // A second until the next checkpoint, and what is in flight.
  expect(sent).toBeLessThan(2500);
  expect(read).toBeLessThan(3500);
  expect(sent).toBeGreaterThan(0);
});

it('with checkpoints too far apart it would be more: the measure can tell', async () => {
  // Slowly, for what is known becomes durable by its amount, too.
  expect((await mostLost(600, 8000)).sent).toBeGreaterThan(5000);
});

it('what is known becomes durable by its amount, too, where the clock stands still', async () => {
  const many = 400;
  const source: DiskSource = {
    sizeBytes: many * blockBytes,
    read: async (_offset, buffer) => void buffer.fill(7),
    async *extents({ start, stop }) {
      const data = (many - 1) * blockBytes;
      if (start < data) yield { start, stop: Math.min(stop, data), zero: true };
      if (stop > data) yield { start: Math.max(start, data), stop, zero: false };
    },
    checkSize: async () => {},
    close: async () => {},
  };
  const target = new FakeTarget(blockBytes);
  let known = 0;
  target.put = async () => {
    known = durable();
    throw new Error('enough');
  };
  target.allocated = async () => [];
  disk.checkpointMs = undefined;
  await expect(disk.run(source, target, disk.job(source.sizeBytes))).rejects.toThrow('enough');
  expect(known).toBeGreaterThanOrEqual(2 * 128);
  expect(known).toBeLessThan(many);
});
