import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blockBytes, isZero, joinBlocks, runsOf, touchedBlocks } from '../../../appliance/replication/blocks.ts';

const page = 512;

it('runs cover a block without gaps, and a run of zeros holds nothing', () => {
  const writes = fc.array(fc.record({ at: fc.nat(511), pages: fc.integer({ min: 1, max: 200 }) }), { maxLength: 6 });
  fc.assert(
    fc.property(writes, fc.integer({ min: 1, max: 512 }), (written, pages) => {
      const block = Buffer.alloc(pages * page);
      for (const { at, pages: count } of written) block.subarray(at * page, (at + count) * page).fill(7);
      const runs = runsOf(block);
      expect(runs.map(({ start }) => start)).toEqual([0, ...runs.slice(0, -1).map(({ stop }) => stop)]);
      expect(runs.at(-1)?.stop).toBe(block.length);
      for (const { start, stop, zero } of runs) {
        expect(isZero(block.subarray(start, stop))).toBe(zero);
        expect([start % page, stop % page]).toEqual([0, 0]);
      }
    }),
    { numRuns: 60 },
  );
});

it('one byte in 4 MiB of zeros costs one run of 64 KiB', () => {
  const block = Buffer.alloc(blockBytes);
  block[3 << 20] = 1;
  const data = runsOf(block).filter(({ zero }) => !zero);
  expect(data).toEqual([{ start: 3 << 20, stop: (3 << 20) + 65_536, zero: false }]);
});

it('a range touches every block that it reaches into, and none beyond the disk', () => {
  const size = 3 * blockBytes + 512;
  expect([...touchedBlocks([{ start: blockBytes - 512, stop: blockBytes + 512 }], size)]).toEqual([1, 1, 0, 0]);
  expect([...touchedBlocks([{ start: 3 * blockBytes, stop: 9 * blockBytes }], size)]).toEqual([0, 0, 0, 1]);
});

it('neighbouring blocks are named as one range', () => {
  const size = 3 * blockBytes + 512;
  expect(joinBlocks([3, 0, 2], size)).toEqual([
    { start: 0, stop: blockBytes },
    { start: 2 * blockBytes, stop: size },
  ]);
});
