import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blockBytes, chunkBytes } from '../../../appliance/replication/blocks.ts';
import type { Verification } from '../../../shared/model/settings.ts';
import { FakeTarget } from './fakeTarget.ts';
import { MemorySource } from './memorySource.ts';
import { OneDisk } from './oneDisk.ts';

const size = 4 * blockBytes;
const inSecond = `${blockBytes}-${blockBytes + chunkBytes - 1}`;

let disk: OneDisk;
let target: FakeTarget;
let source: MemorySource;
beforeEach(() => {
  disk = new OneDisk();
  target = new FakeTarget(size);
  // Some data in each block.
  source = new MemorySource(Buffer.alloc(size));
  for (let at = 0; at < size; at += blockBytes) source.bytes.set(randomBytes(3 * chunkBytes), at);
});
afterEach(() => disk.close());

const sync = (mode: Verification = 'written') => disk.run(source, target, disk.job(size, mode));

it('a chunk that arrived damaged fails the sync, which names it and has sent it again', async () => {
  target.damageOnce(blockBytes);
  await expect(sync()).rejects.toMatchObject({
    code: 'verificationFailed',
    message: `The staging blob held something else than was written, at bytes ${inSecond}. These were sent again, and are equal now.`,
  });
  expect(target.bytes.equals(source.bytes)).toBe(true);
  target.puts = 0;
  const next = await sync();
  expect(next.targetRoot).toBe(next.root);
  expect(target.puts).toBe(0);
});

it('a blob that keeps differing says so, and the next sync sends the block once more', async () => {
  target.damage = (offset, stored) => {
    if (offset === blockBytes) stored[5]! ^= 1;
  };
  await expect(sync()).rejects.toMatchObject({
    code: 'verificationFailed',
    message: expect.stringContaining(`differ still at bytes ${inSecond}.`) as string,
  });
  target.damage = () => {};
  await sync();
  expect(target.bytes.equals(source.bytes)).toBe(true);
});

it('only reading back everything finds for certain what this sync did not write', async () => {
  await sync();
  target.bytes[5]! ^= 1;
  expect((await sync('written')).verified).toBe(0);
  await expect(sync('all')).rejects.toMatchObject({ code: 'verificationFailed' });
  expect(target.bytes.equals(source.bytes)).toBe(true);
});

it('what a sync that failed has written is read back by the next one', async () => {
  const job = disk.job(size);
  const stopped = new AbortController();
  target.read = async () => {
    stopped.abort(new Error('stopped'));
    throw new Error('stopped');
  };
  await expect(disk.run(source, target, job, stopped.signal)).rejects.toThrow('stopped');
  target.read = FakeTarget.prototype.read.bind(target);
  target.bytes[blockBytes]! ^= 1;
  await expect(sync()).rejects.toMatchObject({ code: 'verificationFailed' });
});

it('a sample is drawn from the whole disk, and another one each time', async () => {
  const many = 40;
  source = new MemorySource(Buffer.alloc(many * blockBytes));
  for (let block = 0; block < many; block++) source.bytes[block * blockBytes] = 1;
  target = new FakeTarget(many * blockBytes);
  const drawn: Set<number>[] = [];
  for (let round = 0; round < 2; round++) {
    const read = new Set<number>();
    target.beforeRead = async (offset) => void read.add(Math.floor(offset / blockBytes));
    await disk.run(source, target, disk.job(source.sizeBytes, 'sample'));
    drawn.push(read);
  }
  expect(drawn.map(({ size: blocks }) => blocks)).toEqual([16, 16]);
  expect([...drawn[0]!].sort()).not.toEqual([...drawn[1]!].sort());
});

it('reading back everything does not fetch what the blob holds no pages of, and finds pages that should not be', async () => {
  source = new MemorySource(Buffer.alloc(size));
  source.bytes.fill(1, 0, chunkBytes);
  await sync('all');
  expect(target.readBytes).toBe(blockBytes);
  target.pages[(3 * blockBytes) / 512] = 1;
  target.bytes[3 * blockBytes] = 7;
  await expect(sync('all')).rejects.toMatchObject({
    message: expect.stringContaining(`${3 * blockBytes}-${3 * blockBytes + chunkBytes - 1}`) as string,
  });
});

it('a blob that is written by somebody else while it is read back is no point', async () => {
  target.beforeRead = () => target.clear(0, 512);
  await expect(sync()).rejects.toThrow('it was written since');
});
