// Staging page blobs: one fixed VHD per disk, made once and never shrunk or cleared by us. All by the replication
// identity; appliances get a SAS for one blob and a few hours.
import {
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  type PageBlobClient,
  SASProtocol,
} from '@azure/storage-blob';
import { z } from 'zod';
import { MigrationError, terminal, toMigrationError } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import { fixedVhdFooter, vhdFooterBytes, vhdSizeOf } from '../model/vhd.ts';
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure } from './contract.ts';
import { ownershipMetadata } from './ownership.ts';
import { parseIdOf } from './resourceIds.ts';

const accountType = 'Microsoft.Storage/storageAccounts';
const accountApiVersion = '2024-01-01';
const AccountProperties = z.looseObject({ primaryEndpoints: z.looseObject({ blob: z.url() }) });

const longestAccessHours = 6;
// Clocks differ: a signature that starts now may not have started yet where it is checked.
// https://learn.microsoft.com/azure/storage/common/storage-sas-overview#best-practices-when-using-sas
const skewMs = 5 * 60_000;

export function createStaging(clients: Clients): Azure['staging'] {
  const services = new Map<string, Promise<BlobServiceClient>>();

  /** The account's blob endpoint is asked once: it never changes. A failed answer is not kept. */
  function serviceOf({ staging: { accountId } }: Environment): Promise<BlobServiceClient> {
    const key = accountId.toLowerCase();
    const service = services.get(key) ?? openService(accountId);
    services.set(key, service);
    service.catch(() => services.delete(key));
    return service;
  }

  async function openService(accountId: string): Promise<BlobServiceClient> {
    const { subscriptionId, name } = parseIdOf(accountType, accountId);
    const account = await attempt(`reading storage account ${name}`, () =>
      clients.resources(subscriptionId).resources.getById(accountId, accountApiVersion),
    );
    const properties = AccountProperties.safeParse(account.properties);
    if (!properties.success) {
      throw terminal(
        'azureRejected',
        `The storage account "${name}" has no blob endpoint.`,
        'Use a general-purpose v2 account.',
      );
    }
    // maxTries counts the first one.
    return new BlobServiceClient(properties.data.primaryEndpoints.blob, clients.credential, {
      retryOptions: { maxTries: 1 },
    });
  }

  async function containerOf(environment: Environment): Promise<ContainerClient> {
    return (await serviceOf(environment)).getContainerClient(environment.staging.container);
  }

  async function blobOf(environment: Environment, blobName: string): Promise<PageBlobClient> {
    return (await containerOf(environment)).getPageBlobClient(blobName);
  }

  return {
    async ensureBlob(environment, blobName, sizeBytes, ownership) {
      const container = await containerOf(environment);
      await attempt(`making container ${environment.staging.container}`, () => container.createIfNotExists());
      const blob = container.getPageBlobClient(blobName);
      const size = vhdSizeOf(sizeBytes);
      if (!(await sizeOf(blob, blobName))) await create(blob, blobName, size, ownershipMetadata(ownership));
      const found = await sizeOf(blob, blobName);
      if (found !== size) {
        throw terminal(
          'conflict',
          `The staging blob "${blobName}" has ${found} bytes, but the disk needs ${size}.`,
          'The disk has been resized, or the name belongs to another disk. Decide what happens to the old blob, then retry.',
        );
      }
      await ensureFooter(blob, blobName, size, fixedVhdFooter(sizeBytes, blobName));
    },

    async blobUrl(environment, blobName, snapshot) {
      const blob = await blobOf(environment, blobName);
      return snapshot === undefined ? blob.url : blob.withSnapshot(snapshot).url;
    },

    async writeAccess(environment, blobName, hours) {
      const service = await serviceOf(environment);
      const blob = await blobOf(environment, blobName);
      const now = Date.now();
      const startsOn = new Date(now - skewMs);
      const expiresOn = new Date(now + Math.min(hours, longestAccessHours) * 3_600_000);
      const key = await attempt('getting a user delegation key', () =>
        service.getUserDelegationKey(startsOn, expiresOn),
      );
      const { containerName, accountName } = blob;
      const permissions = BlobSASPermissions.parse('rw');
      const sas = generateBlobSASQueryParameters(
        { containerName, blobName, permissions, startsOn, expiresOn, protocol: SASProtocol.Https },
        key,
        accountName,
      );
      return { url: `${blob.url}?${sas.toString()}`, expiresAt: expiresOn.toISOString() };
    },

    async snapshotExists(environment, blobName, snapshot) {
      const blob = (await blobOf(environment, blobName)).withSnapshot(snapshot);
      return attempt(`looking for snapshot ${snapshot} of ${blobName}`, () => blob.exists());
    },

    async removeBlob(environment, blobName) {
      const blob = await blobOf(environment, blobName);
      await absentAsUndefined(`deleting staging blob ${blobName}`, () => blob.delete({ deleteSnapshots: 'include' }));
    },
  };
}

async function sizeOf(blob: PageBlobClient, blobName: string): Promise<number | undefined> {
  const found = await absentAsUndefined(`reading staging blob ${blobName}`, () => blob.getProperties());
  if (!found) return undefined;
  if (found.blobType === 'PageBlob') return found.contentLength ?? 0;
  throw terminal(
    'conflict',
    `The staging blob "${blobName}" exists, but is no page blob.`,
    'Remove it or use another staging container, then retry.',
  );
}

async function create(
  blob: PageBlobClient,
  name: string,
  size: number,
  metadata: Record<string, string>,
): Promise<void> {
  try {
    await blob.create(size, { metadata, conditions: { ifNoneMatch: '*' } });
  } catch (error) {
    const failure = toMigrationError(error, `making staging blob ${name}`);
    // Somebody was faster, probably ourselves: the size is compared afterwards in either case.
    if (!(failure instanceof MigrationError) || failure.failure.code !== 'conflict') throw failure;
  }
}

/** Looks before it writes, so that a repeated step adds no pages to the next difference. */
async function ensureFooter(blob: PageBlobClient, name: string, size: number, footer: Uint8Array): Promise<void> {
  const at = size - vhdFooterBytes;
  await attempt(`writing the VHD footer of ${name}`, async () => {
    const present = await blob.downloadToBuffer(at, vhdFooterBytes);
    if (!present.equals(footer)) await blob.uploadPages(footer, at, vhdFooterBytes);
  });
}
