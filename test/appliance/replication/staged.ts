// Staging blobs as the platform makes them, in the real local storage server, for tests of the engine.
import { join } from 'node:path';
import { BlobSASPermissions, type PageBlobClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { generateBlobSASQueryParameters } from '@azure/storage-blob';
import { PageBlob } from '../../../appliance/replication/pageBlob.ts';
import { fixedVhdFooter, vhdDiskSizeOf, vhdSizeOf } from '../../../shared/model/vhd.ts';
import { account, accountKey, type Harness, startHarness } from '../../local/storage/harness.ts';

export interface Staged {
  client: PageBlobClient;
  target: PageBlob;
  /** Writes the whole VHD to a file and returns its path. */
  download(): Promise<string>;
}

export class Staging {
  readonly harness: Harness;

  private constructor(harness: Harness) {
    this.harness = harness;
  }

  static async start(): Promise<Staging> {
    const harness = await startHarness();
    await harness.service.getContainerClient('staging').create();
    return new Staging(harness);
  }

  /** An empty fixed VHD for a disk, and the signed access that an appliance gets to it. */
  async stage(name: string, sizeBytes: number): Promise<Staged> {
    const { harness } = this;
    const blobName = `${name}.vhd`;
    const client = harness.service.getContainerClient('staging').getPageBlobClient(blobName);
    await client.create(vhdSizeOf(sizeBytes));
    await client.uploadPages(fixedVhdFooter(sizeBytes, blobName), vhdDiskSizeOf(sizeBytes), 512);
    const expiresOn = new Date(Date.now() + 3_600_000);
    const sas = generateBlobSASQueryParameters(
      { containerName: 'staging', blobName, permissions: BlobSASPermissions.parse('rw'), expiresOn },
      new StorageSharedKeyCredential(account, accountKey),
    );
    const access = { url: `${client.url}?${sas}`, expiresAt: expiresOn.toISOString() };
    return {
      client,
      target: new PageBlob({ access: async () => access }),
      async download() {
        const path = join(harness.dataDir, blobName);
        await (await harness.storage.openBlob(client.url)).copyTo(path);
        return path;
      },
    };
  }

  stop(): Promise<void> {
    return this.harness.stop();
  }
}
