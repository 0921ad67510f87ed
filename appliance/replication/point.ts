// Whether what is known about the staging blobs may be trusted: only if the platform's last point is also ours.
import type { CommandData } from '../../shared/protocol/commands.ts';
import type { Store } from '../state/store.ts';

type Start = CommandData<'landfall.sync.start'>;

const blobsOf = ({ disks }: Start): string =>
  JSON.stringify(disks.map(({ diskId, blobName, sizeBytes }) => ({ diskId, blobName, sizeBytes })));

/** True if the last completed sync of the workload was ours, ended in the root that the platform names, and in these blobs. */
export function isLastPointOurs(store: Store, workload: string, start: Start): boolean {
  if (start.kind === 'initial' || start.previousRoot === undefined) return false;
  const point = store.get('SELECT root, blobs FROM point WHERE workload = ?', workload);
  return point?.['root'] === start.previousRoot && point['blobs'] === blobsOf(start);
}

export function savePoint(store: Store, workload: string, start: Start, root: string): void {
  store.run('INSERT OR REPLACE INTO point (workload, root, blobs) VALUES (?, ?, ?)', workload, root, blobsOf(start));
}
