import { type ContainerClient, type PageBlobClient, RestError } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { failure, type Harness, startHarness } from './harness.ts';

let harness: Harness;
let container: ContainerClient;
let count = 0;
const newBlob = async (): Promise<PageBlobClient> => {
  const blob = container.getPageBlobClient(`disk-${++count}`);
  await blob.create(4096);
  return blob;
};
const write = (blob: PageBlobClient, conditions = {}) => blob.uploadPages(Buffer.alloc(512, 1), 0, 512, { conditions });

beforeAll(async () => {
  harness = await startHarness();
  container = harness.service.getContainerClient('things');
  expect(await container.exists()).toBe(false);
  await container.create();
});
afterAll(async () => {
  vi.useRealTimers();
  await harness.stop();
});

describe('containers', () => {
  it('are created once, found, listed and deleted with all that they hold', async () => {
    expect(await container.exists()).toBe(true);
    expect(await failure(container.create())).toEqual({ code: 'ContainerAlreadyExists', status: 409 });
    expect((await container.createIfNotExists()).succeeded).toBe(false);
    const other = harness.service.getContainerClient('other-things');
    await other.create({ metadata: { wave: 'w1' } });
    expect((await other.getProperties()).metadata).toEqual({ wave: 'w1' });
    await other.getPageBlobClient('a').create(512);
    const names: string[] = [];
    for await (const { name } of harness.service.listContainers()) names.push(name);
    expect(names).toEqual(['other-things', 'things']);
    await other.delete();
    expect(await failure(other.getPageBlobClient('a').download())).toEqual({ code: 'ContainerNotFound', status: 404 });
    expect(await failure(container.getPageBlobClient('a').download())).toEqual({ code: 'BlobNotFound', status: 404 });
    expect(await failure(harness.service.getContainerClient('Bad_Name').create())).toMatchObject({
      code: 'InvalidResourceName',
    });
  });

  it('list by prefix, by hierarchy and in pages', async () => {
    for (const name of ['tree/a/1', 'tree/a/2', 'tree/b', 'tree/ü & <x>'])
      await container.getPageBlobClient(name).create(512);
    const flat: string[] = [];
    for await (const page of container.listBlobsFlat({ prefix: 'tree/' }).byPage({ maxPageSize: 3 })) {
      flat.push(...page.segment.blobItems.map(({ name }) => name));
    }
    expect(flat).toEqual(['tree/a/1', 'tree/a/2', 'tree/b', 'tree/ü & <x>']);
    const tree: string[] = [];
    for await (const item of container.listBlobsByHierarchy('/', { prefix: 'tree/' }))
      tree.push(`${item.kind} ${item.name}`);
    expect(tree.sort()).toEqual(['blob tree/b', 'blob tree/ü & <x>', 'prefix tree/a/']);
  });
});

describe('block blobs of one piece', () => {
  it('are written, read, replaced and deleted', async () => {
    const blob = container.getBlockBlobClient('manifest.json');
    await blob.upload('{"root":1}', 10, { blobHTTPHeaders: { blobContentType: 'application/json' } });
    expect((await blob.downloadToBuffer()).toString()).toBe('{"root":1}');
    expect((await blob.getProperties()).contentType).toBe('application/json');
    const large = Buffer.alloc(9_000_001, 'abc');
    await blob.upload(large, large.length);
    expect((await blob.downloadToBuffer()).equals(large)).toBe(true);
    expect((await blob.downloadToBuffer(8_999_990, 11)).equals(large.subarray(8_999_990))).toBe(true);
    await blob.upload('', 0);
    expect((await blob.download()).contentLength).toBe(0);
    await blob.delete();
    expect(await blob.exists()).toBe(false);
    expect(await failure(blob.stageBlock('AAAA', 'x', 1))).toEqual({ code: 'NotImplemented', status: 501 });
    expect(await failure(container.getAppendBlobClient('log').create())).toEqual({
      code: 'NotImplemented',
      status: 501,
    });
  });
});

describe('conditions', () => {
  it('let only the holder of the current etag write', async () => {
    const blob = await newBlob();
    const { etag } = await blob.getProperties();
    const both = await Promise.allSettled([write(blob, { ifMatch: etag }), write(blob, { ifMatch: etag })]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await failure(write(blob, { ifMatch: etag }))).toEqual({ code: 'ConditionNotMet', status: 412 });
    expect(await failure(blob.delete({ conditions: { ifMatch: etag! } }))).toEqual({
      code: 'ConditionNotMet',
      status: 412,
    });
    expect(
      await failure(blob.setMetadata({ a: 'b' }, { conditions: { ifNoneMatch: (await blob.getProperties()).etag! } })),
    ).toEqual({
      code: 'ConditionNotMet',
      status: 412,
    });
  });

  it('keep a blob from being created twice', async () => {
    const blob = container.getPageBlobClient('once');
    const create = () => blob.create(512, { conditions: { ifNoneMatch: '*' } });
    const outcomes = await Promise.allSettled([create(), create(), create()]);
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(reasons).toHaveLength(2);
    for (const reason of reasons) expect(reason).toMatchObject({ statusCode: 409, code: 'BlobAlreadyExists' });
    expect((await blob.createIfNotExists(512)).succeeded).toBe(false);
  });

  it('answer a read of what has not changed with 304', async () => {
    const blob = await newBlob();
    const { etag, lastModified } = await blob.getProperties();
    const error = await blob
      .download(0, undefined, { conditions: { ifNoneMatch: etag! } })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RestError);
    expect(error).toMatchObject({ statusCode: 304 });
    expect(await failure(blob.download(0, 1, { conditions: { ifModifiedSince: lastModified! } }))).toMatchObject({
      status: 304,
    });
    const before = new Date(lastModified!.getTime() - 60_000);
    expect(await failure(write(blob, { ifUnmodifiedSince: before }))).toEqual({ code: 'ConditionNotMet', status: 412 });
  });
});

describe('leases', () => {
  it('keep everybody else from writing until released', async () => {
    const blob = await newBlob();
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(60);
    expect(await blob.getProperties()).toMatchObject({
      leaseState: 'leased',
      leaseStatus: 'locked',
      leaseDuration: 'fixed',
    });
    expect(await failure(write(blob))).toEqual({ code: 'LeaseIdMissing', status: 412 });
    expect(await failure(blob.delete())).toEqual({ code: 'LeaseIdMissing', status: 412 });
    const stranger = 'aaaaaaaa-0000-4000-8000-000000000000';
    expect(await failure(write(blob, { leaseId: stranger }))).toEqual({
      code: 'LeaseIdMismatchWithBlobOperation',
      status: 412,
    });
    expect(await failure(blob.getBlobLeaseClient().acquireLease(-1))).toEqual({
      code: 'LeaseAlreadyPresent',
      status: 409,
    });
    await write(blob, { leaseId: lease.leaseId });
    await blob.download();
    await lease.releaseLease();
    await write(blob);
    expect(await failure(write(blob, { leaseId: stranger }))).toEqual({
      code: 'LeaseNotPresentWithBlobOperation',
      status: 412,
    });
  });

  it('expire, are renewed, changed and broken', async () => {
    const blob = await newBlob();
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(15);
    vi.useFakeTimers({ now: Date.now() + 16_000, toFake: ['Date'] });
    expect((await blob.getProperties()).leaseState).toBe('expired');
    expect(await failure(write(blob, { leaseId: lease.leaseId }))).toEqual({ code: 'LeaseLost', status: 412 });
    await lease.renewLease();
    expect((await blob.getProperties()).leaseState).toBe('leased');
    vi.useRealTimers();
    await lease.changeLease('bbbbbbbb-0000-4000-8000-000000000000');
    await write(blob, { leaseId: 'bbbbbbbb-0000-4000-8000-000000000000' });
    await lease.breakLease(0);
    expect((await blob.getProperties()).leaseState).toBe('broken');
    await write(blob);
    await blob.getBlobLeaseClient().acquireLease(-1);
    expect((await blob.getProperties()).leaseDuration).toBe('infinite');
  });
});
