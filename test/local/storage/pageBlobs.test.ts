import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient, PageBlobClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failure, type Harness, startHarness } from './harness.ts';

let harness: Harness;
let disks: ContainerClient;
let count = 0;
const newBlob = async (size = 1 << 20): Promise<PageBlobClient> => {
  const blob = disks.getPageBlobClient(`disk-${++count}.vhd`);
  await blob.create(size);
  return blob;
};
const page = (value: number, pages = 1) => Buffer.alloc(512 * pages, value);
// @azure/storage-blob@12.34 takes the inclusive end of the wire for an exclusive one: its `count` is one short.
const whole = (ranges: { offset: number; count?: number }[] | undefined) =>
  ranges?.map(({ offset, count }) => ({ offset, count: (count ?? 0) + 1 }));
const put = (blob: PageBlobClient, data: Buffer, offset: number) => blob.uploadPages(data, offset, data.length);

beforeAll(async () => {
  harness = await startHarness();
  disks = harness.service.getContainerClient('disks');
  await disks.create();
});
afterAll(() => harness.stop());

describe('page blobs', () => {
  it('show written pages, zeros where nothing was written, and zeros again where pages were cleared', async () => {
    const blob = await newBlob(4096);
    await put(blob, page(1, 4), 1024);
    await blob.clearPages(1536, 512);
    const expected = Buffer.concat([page(0, 2), page(1), page(0), page(1, 2), page(0, 2)]);
    expect(await blob.downloadToBuffer()).toEqual(expected);
    expect(whole((await blob.getPageRanges()).pageRange)).toEqual([
      { offset: 1024, count: 512 },
      { offset: 2048, count: 1024 },
    ]);
    expect(await blob.downloadToBuffer(1500, 100)).toEqual(expected.subarray(1500, 1600));
    const part = await blob.download(3000, 5000);
    expect([part._response.status, part.contentLength, part.contentRange]).toEqual([206, 1096, 'bytes 3000-4095/4096']);
  });

  it('refuse pages off the grid, beyond the end, above 4 MiB, and reads beyond the end', async () => {
    const blob = await newBlob(8 << 20);
    expect(await failure(put(blob, page(1), 100))).toEqual({ code: 'InvalidPageRange', status: 416 });
    expect(await failure(put(blob, page(1, 2), (8 << 20) - 512))).toEqual({ code: 'InvalidPageRange', status: 416 });
    const large = Buffer.alloc((4 << 20) + 512);
    expect(await failure(blob.uploadPages(large, 0, large.length))).toEqual({
      code: 'RequestBodyTooLarge',
      status: 413,
    });
    expect(await failure(blob.download(8 << 20, 1))).toEqual({ code: 'InvalidRange', status: 416 });
    expect(whole((await blob.getPageRanges()).pageRange)).toEqual([]);
    await put(blob, Buffer.alloc(4 << 20, 9), 4 << 20);
    expect(whole((await blob.getPageRanges()).pageRange)).toEqual([{ offset: 4 << 20, count: 4 << 20 }]);
  });

  it('keep properties, metadata and sequence numbers', async () => {
    const blob = disks.getPageBlobClient('properties.vhd');
    await blob.create(1024, {
      blobSequenceNumber: 4,
      metadata: { workload: 'w1' },
      blobHTTPHeaders: { blobContentType: 'application/x-vhd' },
    });
    await blob.updateSequenceNumber('increment');
    const properties = await blob.getProperties();
    expect(properties).toMatchObject({
      blobType: 'PageBlob',
      contentLength: 1024,
      contentType: 'application/x-vhd',
      blobSequenceNumber: 5,
      metadata: { workload: 'w1' },
      leaseState: 'available',
    });
    await blob.setMetadata({ point: 'p2' });
    expect((await blob.getProperties()).metadata).toEqual({ point: 'p2' });
    const write = (conditions: object) => blob.uploadPages(page(1), 0, 512, { conditions });
    expect(await failure(write({ ifSequenceNumberEqualTo: 4 }))).toEqual({
      code: 'SequenceNumberConditionNotMet',
      status: 412,
    });
    await write({ ifSequenceNumberLessThanOrEqualTo: 5 });
  });

  it('lose what a smaller size cuts off, also when they grow again', async () => {
    const blob = await newBlob(2048);
    await put(blob, page(3, 4), 0);
    const { snapshot } = await blob.createSnapshot();
    await blob.resize(1024);
    expect(await blob.downloadToBuffer()).toEqual(page(3, 2));
    await blob.resize(4096);
    expect(await blob.downloadToBuffer()).toEqual(Buffer.concat([page(3, 2), page(0, 6)]));
    expect(whole((await blob.getPageRangesDiff(0, 4096, snapshot!)).clearRange)).toEqual([
      { offset: 1024, count: 1024 },
    ]);
    expect(await blob.withSnapshot(snapshot!).downloadToBuffer()).toEqual(page(3, 4));
  });

  it('answer page ranges in parts where asked to', async () => {
    const blob = await newBlob();
    for (const index of [0, 2, 4, 6, 8]) await put(blob, page(1), index * 1024);
    const seen: number[] = [];
    for await (const part of blob.listPageRanges().byPage({ maxPageSize: 2 })) {
      expect(part.pageRange!.length).toBeLessThanOrEqual(2);
      seen.push(...part.pageRange!.map(({ start }) => start));
    }
    expect(seen).toEqual([0, 2048, 4096, 6144, 8192]);
  });
});

describe('snapshots of page blobs', () => {
  it('stay as they were, and the diff tells what was written and what was cleared since', async () => {
    const blob = await newBlob(1 << 20);
    await put(blob, page(1, 8), 0);
    const first = (await blob.createSnapshot()).snapshot!;
    await put(blob, page(2), 512);
    await put(blob, page(2), 65_536);
    await blob.clearPages(2048, 1024);
    await blob.clearPages(131_072, 4096);
    const second = (await blob.createSnapshot()).snapshot!;
    await put(blob, page(3), 0);

    expect((await blob.withSnapshot(first).downloadToBuffer()).subarray(0, 4096)).toEqual(page(1, 8));
    const diff = await blob.withSnapshot(second).getPageRangesDiff(0, 1 << 20, first);
    expect(whole(diff.pageRange)).toEqual([
      { offset: 512, count: 512 },
      { offset: 65_536, count: 512 },
    ]);
    expect(whole(diff.clearRange)).toEqual([{ offset: 2048, count: 1024 }]);
    expect(whole((await blob.getPageRangesDiff(0, 1 << 20, second)).pageRange)).toEqual([{ offset: 0, count: 512 }]);
    expect(whole((await blob.getPageRangesDiff(0, 1 << 20, first)).pageRange)).toEqual([
      { offset: 0, count: 1024 },
      { offset: 65_536, count: 512 },
    ]);
    expect(await failure(blob.withSnapshot(first).getPageRangesDiff(0, 512, second))).toMatchObject({
      code: 'PreviousSnapshotCannotBeNewer',
    });
    const unknown = '2020-01-01T00:00:00.0000000Z';
    expect(await failure(blob.getPageRangesDiff(0, 512, unknown))).toEqual({
      code: 'PreviousSnapshotNotFound',
      status: 409,
    });
  });

  it('cannot be compared with a blob that was created anew', async () => {
    const blob = await newBlob(1024);
    const { snapshot } = await blob.createSnapshot();
    await blob.create(1024);
    expect(await failure(blob.getPageRangesDiff(0, 512, snapshot!))).toEqual({ code: 'BlobOverwritten', status: 409 });
  });

  it('are listed with their blob, hold it back from deletion, and go with it where told so', async () => {
    const blob = await newBlob(1024);
    const snapshots = [(await blob.createSnapshot()).snapshot!, (await blob.createSnapshot()).snapshot!];
    const list = async () => {
      const found: (string | undefined)[] = [];
      for await (const item of disks.listBlobsFlat({ prefix: blob.name, includeSnapshots: true }))
        found.push(item.snapshot);
      return found;
    };
    expect(await list()).toEqual([...snapshots, undefined]);
    expect(await failure(blob.delete())).toEqual({ code: 'SnapshotsPresent', status: 409 });
    await blob.withSnapshot(snapshots[0]!).delete();
    expect(await list()).toEqual([snapshots[1], undefined]);
    await blob.delete({ deleteSnapshots: 'include' });
    expect(await list()).toEqual([]);
  });

  it('give their space back when the last of them is deleted', async () => {
    const folder = join(harness.dataDir, 'storage', 'layers');
    const before = readdirSync(folder).length;
    const blob = await newBlob(1 << 20);
    for (const value of [1, 2, 3]) {
      await put(blob, page(value), 512 * value);
      await blob.createSnapshot();
    }
    expect(readdirSync(folder).length).toBe(before + 3);
    await blob.delete({ deleteSnapshots: 'include' });
    expect(readdirSync(folder).length).toBe(before);
  });
});

describe('copies of page blobs', () => {
  it('are made from a snapshot, and neither side sees the other change', async () => {
    const blob = await newBlob(1 << 20);
    await put(blob, page(1, 4), 4096);
    const { snapshot } = await blob.createSnapshot();
    await put(blob, page(2, 4), 4096);
    const clone = disks.getPageBlobClient('clone.vhd');
    const poller = await clone.beginCopyFromURL(blob.withSnapshot(snapshot!).url, { intervalInMs: 10 });
    expect((await poller.pollUntilDone()).copyStatus).toBe('success');
    expect(await clone.getProperties()).toMatchObject({
      copyStatus: 'success',
      contentLength: 1 << 20,
      blobType: 'PageBlob',
    });
    expect(whole((await clone.getPageRanges()).pageRange)).toEqual([{ offset: 4096, count: 2048 }]);
    await put(clone, page(5), 4096);
    await blob.delete({ deleteSnapshots: 'include' });
    expect(await clone.downloadToBuffer(4096, 1024)).toEqual(Buffer.concat([page(5), page(1)]));
    expect(await failure(clone.abortCopyFromURL('x'))).toEqual({ code: 'NoPendingCopyOperation', status: 409 });
  });

  it('are made from a blob that goes on being written, and can put a snapshot back', async () => {
    const blob = await newBlob(1024);
    await put(blob, page(1), 0);
    const clone = disks.getPageBlobClient('clone-of-base.vhd');
    await (await clone.beginCopyFromURL(blob.url)).pollUntilDone();
    await put(blob, page(2), 0);
    expect(await clone.downloadToBuffer()).toEqual(Buffer.concat([page(1), page(0)]));

    const { snapshot } = await clone.createSnapshot();
    await put(clone, page(9), 0);
    await (await clone.beginCopyFromURL(clone.withSnapshot(snapshot!).url)).pollUntilDone();
    expect(await clone.downloadToBuffer()).toEqual(Buffer.concat([page(1), page(0)]));
  });

  it('are refused from other places, and incremental copies are not pretended', async () => {
    const clone = disks.getPageBlobClient('never.vhd');
    expect(await failure(clone.beginCopyFromURL('https://example.com/a/b/c'))).toMatchObject({
      code: 'CannotVerifyCopySource',
    });
    const missing = disks.getPageBlobClient('missing.vhd').url;
    expect(await failure(clone.beginCopyFromURL(missing))).toMatchObject({
      code: 'CannotVerifyCopySource',
      status: 404,
    });
    const blob = await newBlob(1024);
    const { snapshot } = await blob.createSnapshot();
    const incremental = clone.startCopyIncremental(blob.withSnapshot(snapshot!).url);
    expect(await failure(incremental)).toEqual({ code: 'NotImplemented', status: 501 });
  });
});

describe('the reader for other local parts', () => {
  it('lays a snapshot out as a sparse file', async () => {
    const blob = await newBlob(64 << 20);
    await put(blob, page(7, 8), 32 << 20);
    const { snapshot } = await blob.createSnapshot();
    await put(blob, page(8, 8), 32 << 20);
    const reader = await harness.storage.openBlob(blob.withSnapshot(snapshot!).url);
    const folder = join(harness.dataDir, 'out');
    mkdirSync(folder, { recursive: true });
    await reader.copyTo(join(folder, 'disk'));
    const stat = statSync(join(folder, 'disk'));
    expect([reader.size, stat.size]).toEqual([64 << 20, 64 << 20]);
    expect(stat.blocks * 512).toBeLessThan(1 << 20);
    const content = await readFile(join(folder, 'disk'));
    expect(content.subarray(32 << 20, (32 << 20) + 4096)).toEqual(page(7, 8));
    await expect(harness.storage.openBlob(`${disks.url}/nothing`)).rejects.toThrow(/no blob/);
  });
});

describe('the storage server', () => {
  it('gives everyone their own bytes, though its memory is used again and others leave in the middle of an answer', async () => {
    const bytes = 4 << 20;
    const blobs = await Promise.all([1, 2, 3].map(() => newBlob(bytes)));
    const contents = blobs.map(() => randomBytes(bytes));
    await Promise.all(blobs.map((blob, index) => put(blob, contents[index]!, 0)));
    const leaving = new AbortController();
    const left = blobs.flatMap((blob) =>
      Array.from({ length: 4 }, async () => {
        const { readableStreamBody } = await blob.download(0, bytes, { abortSignal: leaving.signal });
        for await (const _ of readableStreamBody!) leaving.abort();
      }),
    );
    const read = blobs.flatMap((blob) => [1, 2, 3].map(() => blob.downloadToBuffer()));
    expect((await Promise.allSettled(left)).every(({ status }) => status === 'rejected')).toBe(true);
    for (const [index, content] of (await Promise.all(read)).entries())
      expect(content.equals(contents[Math.floor(index / 3)]!)).toBe(true);
    for (const [index, blob] of blobs.entries())
      expect((await blob.downloadToBuffer()).equals(contents[index]!)).toBe(true);
    expect(harness.lines).toEqual([]);
  });

  it('has everything after a restart, diffs included', async () => {
    const blob = await newBlob(4096);
    await put(blob, page(1), 0);
    const { snapshot } = await blob.createSnapshot();
    await put(blob, page(2), 512);
    const before = performance.now();
    await harness.restart();
    expect(performance.now() - before, 'a restart under kept-alive connections').toBeLessThan(450);
    expect(await blob.downloadToBuffer(0, 1024)).toEqual(Buffer.concat([page(1), page(2)]));
    expect(whole((await blob.getPageRangesDiff(0, 4096, snapshot!)).pageRange)).toEqual([{ offset: 512, count: 512 }]);
    expect(harness.lines).toEqual([]);
  });
});
