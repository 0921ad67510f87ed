// What an administrator looks at in the target environment, with the Azure SDKs and a role of their own: the target's
// disks, byte by byte, and the DNS records.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { type AccessUri, ComputeManagementClient } from '@azure/arm-compute';
import { DnsManagementClient } from '@azure/arm-dns';
import type { TokenCredential } from '@azure/identity';
import { BlobClient } from '@azure/storage-blob';

const armScope = 'https://management.azure.com/.default';
const often = { updateIntervalInMs: 200 };

export class AzureView {
  readonly #compute: ComputeManagementClient;
  readonly #dns: DnsManagementClient;
  readonly #resourceGroup: string;

  constructor(endpoint: string, credential: TokenCredential, subscriptionId: string, resourceGroup: string) {
    this.#compute = new ComputeManagementClient(credential, subscriptionId, {
      endpoint,
      credentials: { scopes: [armScope] },
    });
    this.#dns = new DnsManagementClient(credential, subscriptionId, {
      endpoint,
      $host: endpoint,
      credentialScopes: armScope,
    });
    this.#resourceGroup = resourceGroup;
  }

  /** The ids of a machine's disks: the OS disk first. */
  async disksOf(machine: string): Promise<string[]> {
    const { storageProfile } = await this.#compute.virtualMachines.get(this.#resourceGroup, machine);
    const disks = [storageProfile?.osDisk, ...(storageProfile?.dataDisks ?? [])];
    return disks.flatMap((disk) => (disk?.managedDisk?.id === undefined ? [] : [disk.managedDisk.id]));
  }

  /**
   * SHA-256 of the first `bytes` of a managed disk. A disk that a machine holds gives no access to its content, so a
   * snapshot is taken, read through a read-only address, and deleted.
   */
  async hashDisk(diskId: string, bytes: number): Promise<string> {
    const name = `compare-${diskId.split('/').at(-1) ?? ''}`;
    const { location = '' } = await this.#compute.disks.get(this.#resourceGroup, diskId.split('/').at(-1) ?? '');
    await this.#compute.snapshots.createOrUpdate(
      this.#resourceGroup,
      name,
      { location, creationData: { createOption: 'Copy', sourceResourceId: diskId } },
      often,
    );
    try {
      const granted: AccessUri = await this.#compute.snapshots.grantAccess(
        this.#resourceGroup,
        name,
        { access: 'Read', durationInSeconds: 600 },
        often,
      );
      const { readableStreamBody } = await new BlobClient(granted.accessSAS ?? '').download(0, bytes);
      if (!readableStreamBody) throw new Error(`${name} gave no content`);
      return await hashOf(readableStreamBody as Readable);
    } finally {
      await this.#compute.snapshots.revokeAccess(this.#resourceGroup, name, often);
      await this.#compute.snapshots.delete(this.#resourceGroup, name, often);
    }
  }

  /** The addresses of an A record; none when it does not exist. */
  async addresses(zone: string, record: string): Promise<string[]> {
    try {
      const found = await this.#dns.recordSets.get(this.#resourceGroup, zone, record, 'A');
      return (found.aRecords ?? []).flatMap(({ ipv4Address }) => (ipv4Address === undefined ? [] : [ipv4Address]));
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return [];
      throw error;
    }
  }
}

/** SHA-256 of the first `bytes` of a file. */
export const hashFile = (path: string, bytes: number): Promise<string> =>
  hashOf(createReadStream(path, { end: bytes - 1, highWaterMark: 2 ** 20 }));

async function hashOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
