// Finds what has changed, the cheapest way that can be believed: by the source's own bitmap, else by comparing all of the
// disk with the manifest. Whatever speaks against the bitmap is said loudly, and nothing of it is used.
import { Allocation } from './allocation.ts';
import type { Refuse } from './bitmap.ts';
import { type Copy, shipParts } from './copyDisk.ts';
import type { DiskProgress } from './job.ts';
import type { Mark } from './lanes.ts';
import { changedParts, wholeDisk } from './plan.ts';

/** Ships everything that differs, from the mark on. `refuse` is told why the bitmap is not used after all. */
export async function compareDisk(copy: Copy, progress: DiskProgress, mark: Mark, refuse: Refuse): Promise<void> {
  const { source, ledger, diskBytes, target, signal } = copy;
  progress.by ??= source.changed ? 'bitmap' : 'manifest';
  if (progress.by === 'bitmap' && source.changed) {
    const { sizeBytes } = source;
    const parts = changedParts(source.changed, { sizeBytes, ledger, first: mark.position, signal });
    await shipParts(copy, parts, new Allocation(target, diskBytes), mark);
    return;
  }
  if (progress.by === 'bitmap') {
    refuse('it has gone in the middle of the sync');
    mark.restart();
  }
  progress.by = 'manifest';
  const parts = wholeDisk(source, diskBytes, mark.position, signal);
  await shipParts(copy, parts, new Allocation(target, diskBytes), mark);
}
