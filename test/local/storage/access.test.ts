import {
  AnonymousCredential,
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  PageBlobClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { account, accountKey, failure, type Harness, oid, startHarness, tenantId } from './harness.ts';

const HOUR = 3_600_000;
let harness: Harness;
let disks: ContainerClient;
let disk: PageBlobClient;
const shared = new StorageSharedKeyCredential(account, accountKey);
type Values = Parameters<typeof generateBlobSASQueryParameters>[0];

const values = (permissions: string, more: Partial<Values> = {}): Values => ({
  containerName: 'disks',
  blobName: 'disk.vhd',
  permissions: BlobSASPermissions.parse(permissions),
  expiresOn: new Date(Date.now() + HOUR),
  ...more,
});
const sign = (permissions: string, more: Partial<Values> = {}, key = shared) =>
  generateBlobSASQueryParameters(values(permissions, more), key).toString();
const client = (url: string) => new PageBlobClient(url, new AnonymousCredential(), { retryOptions: { maxTries: 1 } });
const withSas = (sas: string, blob: PageBlobClient = disk) =>
  client(`${blob.url}${blob.url.includes('?') ? '&' : '?'}${sas}`);
const write = (blob: PageBlobClient) => blob.uploadPages(Buffer.alloc(512, 1), 0, 512);

beforeAll(async () => {
  harness = await startHarness();
  disks = harness.service.getContainerClient('disks');
  await disks.create();
  disk = disks.getPageBlobClient('disk.vhd');
  await disk.create(4096);
});
afterAll(async () => {
  vi.useRealTimers();
  await harness.stop();
});

describe('a bearer token', () => {
  const service = (token: string) =>
    new BlobServiceClient(
      `${harness.storage.endpoint}/${account}`,
      { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + HOUR }) },
      { retryOptions: { maxTries: 1 } },
    ).getContainerClient('disks');

  it('is refused when it is for another audience, forged, or missing', async () => {
    const other = await harness.tokens.issue({ oid, name: 'n' }, 'https://management.azure.com', 60);
    expect(await failure(service(other).getProperties())).toEqual({ code: 'InvalidAuthenticationInfo', status: 401 });
    expect(await failure(service(`${other.slice(0, -4)}AAAA`).getProperties())).toMatchObject({ status: 401 });
    expect(await failure(client(disk.url).getProperties())).toEqual({
      code: 'NoAuthenticationInformation',
      status: 401,
    });
  });
});

describe('a service SAS', () => {
  it('grants what it says on its blob and nothing else', async () => {
    const sas = sign('w');
    await write(withSas(sas));
    expect(await failure(withSas(sas).getProperties())).toEqual({
      code: 'AuthorizationPermissionMismatch',
      status: 403,
    });
    expect(await failure(withSas(sas).delete())).toMatchObject({ code: 'AuthorizationPermissionMismatch' });
    const neighbour = disks.getPageBlobClient('neighbour.vhd');
    await neighbour.create(512);
    expect(await failure(write(withSas(sas, neighbour)))).toEqual({ code: 'AuthenticationFailed', status: 403 });
    const read = withSas(sign('r'));
    await read.getPageRanges();
    expect(await failure(write(read))).toMatchObject({ code: 'AuthorizationPermissionMismatch' });
  });

  it('is refused when altered, signed by another key, expired or not yet valid', async () => {
    const refused = { code: 'AuthenticationFailed', status: 403 };
    expect(await failure(withSas(sign('r').replace('sp=r', 'sp=rw')).getProperties())).toEqual(refused);
    const wrongKey = new StorageSharedKeyCredential(account, Buffer.alloc(32, 9).toString('base64'));
    expect(await failure(withSas(sign('r', {}, wrongKey)).getProperties())).toMatchObject({ status: 403 });
    const past = { startsOn: new Date(Date.now() - 2 * HOUR), expiresOn: new Date(Date.now() - HOUR) };
    expect(await failure(withSas(sign('r', past)).download())).toEqual(refused);
    const future = { startsOn: new Date(Date.now() + HOUR), expiresOn: new Date(Date.now() + 2 * HOUR) };
    expect(await failure(withSas(sign('r', future)).download())).toEqual(refused);
    const elsewhere = sign('r', { ipRange: { start: '10.0.0.1', end: '10.0.0.9' } });
    expect(await failure(withSas(elsewhere).download())).toEqual({
      code: 'AuthorizationSourceIPMismatch',
      status: 403,
    });
    await withSas(sign('r', { ipRange: { start: '127.0.0.1' } })).download();
  });

  it('for a snapshot does not open the blob, and one for the blob does not open its snapshots', async () => {
    const snapshotTime = (await disk.createSnapshot()).snapshot!;
    const snapshot = client(disk.withSnapshot(snapshotTime).url);
    await withSas(sign('r', { snapshotTime }), snapshot).getPageRanges();
    expect(await failure(withSas(sign('r', { snapshotTime })).download())).toMatchObject({
      code: 'AuthenticationFailed',
    });
    expect(await failure(withSas(sign('r'), snapshot).download())).toMatchObject({ code: 'AuthenticationFailed' });
  });

  it('for a container lists and reads its blobs, and does not delete it', async () => {
    const sas = generateBlobSASQueryParameters(
      {
        containerName: 'disks',
        permissions: ContainerSASPermissions.parse('rl'),
        expiresOn: new Date(Date.now() + HOUR),
      },
      shared,
    );
    const url = `${harness.storage.endpoint}/${account}?${sas}`;
    const container = new BlobServiceClient(url, undefined, { retryOptions: { maxTries: 1 } }).getContainerClient(
      'disks',
    );
    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat()) names.push(name);
    expect(names).toContain('disk.vhd');
    await container.getPageBlobClient('disk.vhd').download();
    expect(await failure(container.delete())).toMatchObject({ status: 403 });
    expect(await failure(container.getPageBlobClient('new.vhd').create(512))).toMatchObject({ status: 403 });
  });
});

describe('a user delegation SAS', () => {
  it('is signed by a key of the caller and ends with the key', async () => {
    const key = await harness.service.getUserDelegationKey(new Date(Date.now() - 60_000), new Date(Date.now() + HOUR));
    expect(key).toMatchObject({ signedObjectId: oid, signedTenantId: tenantId, signedService: 'b' });
    const expiresOn = new Date(Date.now() + 2 * HOUR);
    const delegated = (more: Partial<Values> = {}) =>
      generateBlobSASQueryParameters(values('rw', { expiresOn, ...more }), key, account).toString();
    await write(withSas(delegated()));
    for (const version of ['2020-12-06', '2025-07-05', '2026-04-06']) await withSas(delegated({ version })).download();
    const otherOid = delegated().replace(oid, '33333333-3333-4333-8333-333333333333');
    expect(await failure(write(withSas(otherOid)))).toEqual({ code: 'AuthenticationFailed', status: 403 });
    const longer = delegated().replace(
      /ske=[^&]+/,
      `ske=${encodeURIComponent(new Date(Date.now() + 9 * HOUR).toISOString())}`,
    );
    expect(await failure(write(withSas(longer)))).toEqual({ code: 'AuthenticationFailed', status: 403 });
    vi.useFakeTimers({ now: Date.now() + 1.5 * HOUR, toFake: ['Date'] });
    expect(await failure(write(withSas(delegated())))).toEqual({ code: 'AuthenticationFailed', status: 403 });
    vi.useRealTimers();
  });

  it('cannot be had for more than seven days, nor by a caller without a token', async () => {
    const long = harness.service.getUserDelegationKey(new Date(), new Date(Date.now() + 8 * 24 * HOUR));
    expect(await failure(long)).toMatchObject({ status: 400 });
  });

  it('opens a copy source that the caller may not read otherwise', async () => {
    const other = new PageBlobClient(`${harness.storage.endpoint}/other/disks/copy.vhd`, harness.service.credential);
    const container = new BlobServiceClient(`${harness.storage.endpoint}/other`, harness.service.credential);
    await container.getContainerClient('disks').create();
    expect(await failure(other.beginCopyFromURL(disk.url))).toMatchObject({ code: 'CannotVerifyCopySource' });
    expect(await failure(other.beginCopyFromURL(withSas(sign('w')).url))).toMatchObject({ status: 403 });
    await (await other.beginCopyFromURL(withSas(sign('r')).url)).pollUntilDone();
    const { copySource } = await other.getProperties();
    expect(copySource).not.toContain('sig=');
  });
});
