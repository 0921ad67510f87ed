import type { ContainerClient, PageBlobClient } from '@azure/storage-blob';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from './harness.ts';

const PAGES = 24;

type Step =
  | { kind: 'write'; start: number; length: number; value: number }
  | { kind: 'clear'; start: number; length: number }
  | { kind: 'snapshot' }
  | { kind: 'drop'; index: number }
  | { kind: 'restart' };

/** A blob as an array: the byte that fills a page, or undefined for a page that is not there; and when it changed. */
interface Model {
  pages: (number | undefined)[];
  changed: number[];
}

const range = { start: fc.nat(PAGES - 1), length: fc.integer({ min: 1, max: 8 }) };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('write' as const), ...range, value: fc.integer({ min: 1, max: 255 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('clear' as const), ...range }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

let harness: Harness;
let disks: ContainerClient;
beforeAll(async () => {
  harness = await startHarness();
  disks = harness.service.getContainerClient('disks');
  await disks.create();
});
afterAll(() => harness.stop());

describe('any history of writes, clears and snapshots', () => {
  it('leaves blob, snapshots and every diff between them as a plain model says', { timeout: 30_000 }, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        await check(disks.getPageBlobClient(`run-${++run}`), steps);
      }),
      { numRuns: 25, seed: 20_261 },
    );
  });
});

async function check(blob: PageBlobClient, steps: Step[]): Promise<void> {
  await blob.create(PAGES * 512);
  const base: Model = { pages: Array(PAGES).fill(undefined), changed: Array(PAGES).fill(0) };
  const snapshots: { time: string; model: Model; at: number }[] = [];
  let now = 0;
  for (const each of steps) {
    now++;
    if (each.kind === 'write' || each.kind === 'clear') {
      const stop = Math.min(PAGES, each.start + each.length);
      const size = (stop - each.start) * 512;
      if (each.kind === 'write') await blob.uploadPages(Buffer.alloc(size, each.value), each.start * 512, size);
      else await blob.clearPages(each.start * 512, size);
      base.pages.fill(each.kind === 'write' ? each.value : undefined, each.start, stop);
      base.changed.fill(now, each.start, stop);
    } else if (each.kind === 'snapshot') {
      const model = { pages: [...base.pages], changed: [...base.changed] };
      snapshots.push({ time: (await blob.createSnapshot()).snapshot!, model, at: now });
    } else if (each.kind === 'drop') {
      const [dropped] = snapshots.splice(each.index, 1);
      if (dropped) await blob.withSnapshot(dropped.time).delete();
    } else {
      await harness.restart();
    }
  }

  const targets = [
    ...snapshots.map(({ time, model }) => ({ client: blob.withSnapshot(time), model })),
    { client: blob, model: base },
  ];
  for (const [index, { client, model }] of targets.entries()) {
    expect(await client.downloadToBuffer()).toEqual(
      Buffer.concat(model.pages.map((value) => Buffer.alloc(512, value ?? 0))),
    );
    expect(await pagesOf(client.listPageRanges())).toEqual(
      model.pages.map((value) => (value === undefined ? ' ' : 'P')).join(''),
    );
    for (const previous of snapshots.slice(0, index + 1)) {
      const expected = model.pages.map((value, page) => {
        if ((model.changed[page] ?? 0) <= previous.at) return ' ';
        if (value !== undefined) return 'P';
        return previous.model.pages[page] === undefined ? ' ' : 'C';
      });
      expect(await pagesOf(client.listPageRangesDiff(0, PAGES * 512, previous.time))).toEqual(expected.join(''));
    }
  }
  await blob.delete({ deleteSnapshots: 'include' });
}

/** One letter for each page: P there, C cleared. Ranges end inclusively on the wire. */
async function pagesOf(ranges: AsyncIterable<{ start: number; end: number; isClear?: boolean }>): Promise<string> {
  const letters = Array<string>(PAGES).fill(' ');
  for await (const { start, end, isClear } of ranges) letters.fill(isClear ? 'C' : 'P', start / 512, (end + 1) / 512);
  return letters.join('');
}
