// A sync as it is kept: enough to go on after a crash.
import type { CommandData } from '../../shared/protocol/commands.ts';
import type { Store } from '../state/store.ts';

export interface Job {
  operationId: string;
  command: CommandData<'landfall.sync.start'>;
  startedAt: string;
  /** A process before this one has worked on it. */
  resumed: boolean;
  /** The sync that made the point which the manifest is of; absent if there is none to trust. */
  since?: string;
  /** The commands that froze that point's disks tell what has changed since: they are asked before the final sync, too. */
  isTracked?: boolean;
  /** The same of the point that this sync makes. */
  tracks?: boolean;
  /** Applications may be at rest for it at this moment. */
  resting?: boolean;
  /** They were, from before the first of its frozen copies until after the last. */
  atRest?: boolean;
  /** By disk: where its frozen copy is read, '' from before it was taken. */
  snapshots: Record<string, string>;
  /** By disk, where the command that froze it has said so: the context that tells what has changed since then. */
  changed: Record<string, string>;
  /** By disk: how far it is, over all processes that worked on it. */
  disks: Record<string, DiskProgress>;
}

export interface DiskProgress {
  phase: 'copy' | 'verify';
  /** How it is known what has changed. */
  by?: 'bitmap' | 'manifest';
  bitmapRefused?: string;
  /** Blocks before this one are done in this phase. */
  next: number;
  readBytes: number;
  changedBytes: number;
  verifiedBytes: number;
}

/** The progress of a disk, to read and to change. */
export function progressOf(job: Job, diskId: string): DiskProgress {
  job.disks[diskId] ??= { phase: 'copy', next: 0, readBytes: 0, changedBytes: 0, verifiedBytes: 0 };
  return job.disks[diskId];
}

/** The disk is read from its beginning again: what was copied stays, and is only compared. */
export function readAnew(job: Job, diskId: string): void {
  const { by: _by, bitmapRefused: _why, ...counts } = progressOf(job, diskId);
  job.disks[diskId] = { ...counts, phase: 'copy', next: 0 };
}

export const workloadOf = ({ command: { waveId, workloadId } }: Job): string => `${waveId}/${workloadId}`;

export function saveJob(store: Store, job: Job): void {
  const sql = 'INSERT OR REPLACE INTO job (id, job) VALUES (?, ?)';
  store.commit(() => store.run(sql, job.operationId, JSON.stringify(job)));
}

export const removeJob = (store: Store, job: Job): void => store.run('DELETE FROM job WHERE id = ?', job.operationId);

/** Jobs of an earlier version lack what it did not know. */
export const loadJobs = (store: Store): Job[] =>
  store.all('SELECT job FROM job').map(({ job }) => {
    const stored = JSON.parse(String(job)) as Omit<Job, 'disks' | 'changed'> & Partial<Job>;
    return { ...stored, disks: stored.disks ?? {}, changed: stored.changed ?? {} };
  });
