import { AnonymousCredential, PageBlobClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixedVhdFooter } from '../../../shared/model/vhd.ts';
import { failureOf, ownership, startTarget, type TargetWorld } from './target.ts';

const MIB = 2 ** 20;
let world: TargetWorld;
beforeAll(async () => {
  world = await startTarget();
  await world.authorize();
});
afterAll(() => world.stop());

const access = async (blobName: string) => {
  const { url } = await world.azure.staging.writeAccess(world.environment, blobName, 1);
  return new PageBlobClient(url, new AnonymousCredential());
};

describe('a staging blob', () => {
  it('is a fixed VHD of whole MiB with its footer in place', async () => {
    await world.azure.staging.ensureBlob(world.environment, 'w/db-01/system.vhd', 2 * MIB + 512, ownership);
    const blob = await access('w/db-01/system.vhd');
    const { contentLength, metadata } = await blob.getProperties();
    expect(contentLength).toBe(3 * MIB + 512);
    expect(metadata).toMatchObject({ landfall_owner: 'landfall', landfall_wave: 'wave-1', landfall_workload: 'db-01' });
    const footer = await blob.downloadToBuffer(3 * MIB, 512);
    expect(footer.equals(fixedVhdFooter(2 * MIB + 512, 'w/db-01/system.vhd'))).toBe(true);
  });

  it('keeps its bytes and its etag when it is ensured again', async () => {
    const blob = await access('w/db-01/system.vhd');
    await blob.uploadPages(Buffer.alloc(512, 1), 0, 512);
    const before = await blob.getProperties();
    await world.anotherAzure().staging.ensureBlob(world.environment, 'w/db-01/system.vhd', 2 * MIB + 512, ownership);
    expect((await blob.getProperties()).etag).toBe(before.etag);
    expect((await blob.downloadToBuffer(0, 512)).equals(Buffer.alloc(512, 1))).toBe(true);
  });

  it('gets its footer when an earlier attempt ended before it was written', async () => {
    const blob = await access('w/db-01/system.vhd');
    await blob.clearPages(3 * MIB, 512);
    await world.azure.staging.ensureBlob(world.environment, 'w/db-01/system.vhd', 2 * MIB + 512, ownership);
    const footer = await blob.downloadToBuffer(3 * MIB, 512);
    expect(footer.subarray(0, 8).toString()).toBe('conectix');
  });

  it('is refused for a disk of another size', async () => {
    const failure = failureOf(
      world.azure.staging.ensureBlob(world.environment, 'w/db-01/system.vhd', 9 * MIB, ownership),
    );
    expect(await failure).toMatchObject({ code: 'conflict', kind: 'terminal' });
  });

  it('can be written with a signature that opens nothing else and ends within six hours', async () => {
    const { url, expiresAt } = await world.azure.staging.writeAccess(world.environment, 'w/db-01/system.vhd', 48);
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(6 * 3_600_000);
    const query = new URL(url).searchParams;
    expect(query.get('sp')).toBe('rw');
    expect(query.get('spr')).toBe('https');
    expect(query.get('skoid')).toBe(world.environment.identities.replication);
    await world.azure.staging.ensureBlob(world.environment, 'w/db-01/other.vhd', MIB, ownership);
    const otherUrl = new URL(url);
    otherUrl.pathname = otherUrl.pathname.replace('system.vhd', 'other.vhd');
    const other = new PageBlobClient(otherUrl.href, new AnonymousCredential());
    expect(other.name).toBe('w/db-01/other.vhd');
    await expect(other.uploadPages(Buffer.alloc(512), 0, 512)).rejects.toMatchObject({ statusCode: 403 });
  });

  it('has snapshots that can be found, and goes with them', async () => {
    const blob = await access('w/db-01/system.vhd');
    const { snapshot = '' } = await blob.createSnapshot();
    const { staging } = world.azure;
    expect(await staging.snapshotExists(world.environment, 'w/db-01/system.vhd', snapshot)).toBe(true);
    expect(await staging.blobUrl(world.environment, 'w/db-01/system.vhd', snapshot)).toContain(
      `?snapshot=${encodeURIComponent(snapshot)}`,
    );
    await staging.removeBlob(world.environment, 'w/db-01/system.vhd');
    await staging.removeBlob(world.environment, 'w/db-01/system.vhd');
    expect(await staging.snapshotExists(world.environment, 'w/db-01/system.vhd', snapshot)).toBe(false);
  });
});
