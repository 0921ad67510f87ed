// Managed disks, imported from the staging blob (or one of its snapshots): a fixed VHD in the same region.
// https://learn.microsoft.com/rest/api/compute/disks/create-or-update (create option Import)
import { createHash } from 'node:crypto';
import type { Disk } from '@azure/arm-compute';
import { terminal } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import { absentAsUndefined } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Ownership, Progress } from './contract.ts';
import { begin } from './longOperations.ts';
import { ownershipTags, requireSameOwner } from './ownership.ts';

const sourceTag = 'landfall:source';

/** Starts the import, or says that it is done already; a disk of the same name from another point is refused. */
export async function beginImportDisk(
  clients: Clients,
  { subscriptionId, resourceGroup, region, staging }: Environment,
  { name, sourceUrl, sku, boot }: { name: string; sourceUrl: string; sku: string; boot: boolean },
  ownership: Ownership,
): Promise<Progress> {
  const { disks } = clients.compute(subscriptionId);
  // Which point a disk came from is kept in a tag of ours: what ARM shows of `sourceUri` is its own affair.
  const source = createHash('sha256').update(sourceUrl).digest('hex');
  const found = await absentAsUndefined(`reading disk ${name}`, () => disks.get(resourceGroup, name));
  if (found) {
    requireSameOwner(`The disk "${name}"`, found.tags, ownership);
    requireSameSource(found, name, source);
    if (found.provisioningState === 'Succeeded') return { done: true };
  }
  const disk: Disk = {
    location: region,
    tags: { ...ownershipTags(ownership), [sourceTag]: source },
    sku: { name: sku },
    creationData: { createOption: 'Import', sourceUri: sourceUrl, storageAccountId: staging.accountId },
    ...(boot ? { osType: 'Linux' as const } : {}),
  };
  return begin('createDisk', name, () => disks.createOrUpdate(resourceGroup, name, disk));
}

function requireSameSource(found: Disk, name: string, source: string): void {
  if (found.tags?.[sourceTag] === source) return;
  throw terminal(
    'conflict',
    `The disk "${name}" exists, but was imported from another point.`,
    'Delete the disk, then retry: a disk is never overwritten.',
  );
}
