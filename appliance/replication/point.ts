// The last point that a workload's syncs have made, and whether what is known about the staging blobs may be trusted: only
// if the platform's last point is also ours.
import type { CommandData } from '../../shared/protocol/commands.ts';
import type { Store } from '../state/store.ts';

type Start = CommandData<'landfall.sync.start'>;

export interface LastPoint {
  /** The sync that made it. */
  sync: string;
  /** Whether its frozen copies were taken by commands that tell, later on, what has changed since. */
  isTracked: boolean;
}

const blobsOf = ({ disks }: Start): string =>
  JSON.stringify(disks.map(({ diskId, blobName, sizeBytes }) => ({ diskId, blobName, sizeBytes })));

/** The last point, if it is ours, has the root that the platform names, and is in these blobs. */
export function lastPoint(store: Store, workload: string, start: Start): LastPoint | undefined {
  if (start.kind === 'initial' || start.previousRoot === undefined) return undefined;
  const point = store.get('SELECT root, blobs, sync, tracked FROM lastPoint WHERE workload = ?', workload);
  if (point?.['root'] !== start.previousRoot || point['blobs'] !== blobsOf(start)) return undefined;
  return { sync: String(point['sync']), isTracked: point['tracked'] === 1 };
}

export function savePoint(store: Store, workload: string, start: Start, root: string, isTracked: boolean): void {
  const sql = 'INSERT OR REPLACE INTO lastPoint (workload, root, blobs, sync, tracked) VALUES (?, ?, ?, ?, ?)';
  store.run(sql, workload, root, blobsOf(start), start.syncId, isTracked ? 1 : 0);
}
