// Which bitmap of a source may be believed: one that counts from the very point that the manifest is of. Any other, and one
// that is missing, costs a comparison of all of the disk, and says so.
import type { SyncDisk } from '../../shared/protocol/commands.ts';
import type { Log } from '../log.ts';
import { listContexts } from '../nbd/connect.ts';
import { isNbdUri, parseNbdUri } from '../nbd/uri.ts';
import { dirtyBitmap } from '../nbd/wire.ts';
import { openPlanned } from '../sources/open.ts';
import type { DiskSource } from '../sources/source.ts';
import { type Job, progressOf } from './job.ts';

export type Refuse = (why: string) => void;

/** Keeps why a disk's bitmap is not used, for the point's record and for the log. */
export function refusing(job: Job, diskId: string, log: Log): Refuse {
  return (why) => {
    progressOf(job, diskId).bitmapRefused = why.slice(0, 500);
    log.warn('the bitmap of a disk is not believed: all of the disk is compared', {
      syncId: job.command.syncId,
      diskId,
      why,
    });
  };
}

/** Opens a disk where it is to be read, with its bitmap if there is one to believe. */
export async function openWithBitmap(job: Job, disk: SyncDisk, refuse: Refuse): Promise<DiskSource> {
  const path = job.snapshots[disk.diskId] || disk.path;
  const context = contextOf(job, disk, refuse);
  const source = await openPlanned(disk, path, context);
  if (context !== undefined && !source.changed) refuse(`the export has no ${context}${await others(path)}`);
  return source;
}

function contextOf(job: Job, { diskId, changed }: SyncDisk, refuse: Refuse): string | undefined {
  // What the commands of this source say is asked for with the point that it must count from.
  const own = job.changed[diskId];
  if (own !== undefined) return own;
  if (job.isTracked) refuse(`the source has not told what has changed since sync ${job.since}`);
  if (!changed || job.command.kind === 'initial') return undefined;
  if (changed.since === job.since) return changed.context;
  const point =
    job.since === undefined ? 'there is no point here to trust' : `the last point here is of sync ${job.since}`;
  refuse(`${changed.context} counts from sync ${changed.since}, and ${point}`);
  return undefined;
}

async function others(path: string): Promise<string> {
  if (!isNbdUri(path)) return ', for it is no NBD export';
  const names = await listContexts(parseNbdUri(path), dirtyBitmap.prefix, 5000).catch(() => []);
  return names.length === 0 ? ' and no other bitmap' : `, only ${names.join(', ')}`;
}
