// A sync as it is kept: enough to go on after a crash.
import type { CommandData } from '../../shared/protocol/commands.ts';
import type { Store } from '../state/store.ts';

export interface Job {
  operationId: string;
  command: CommandData<'landfall.sync.start'>;
  startedAt: string;
  /** A process before this one has worked on it. */
  resumed: boolean;
  /** By disk: where its frozen copy is read, '' from before it was taken. */
  snapshots: Record<string, string>;
  /** By disk, over all processes that worked on it. */
  counts: Record<string, { changedBytes: number; verifiedBytes: number }>;
}

export const workloadOf = ({ command: { waveId, workloadId } }: Job): string => `${waveId}/${workloadId}`;

export function saveJob(store: Store, job: Job): void {
  const sql = 'INSERT OR REPLACE INTO job (id, job) VALUES (?, ?)';
  store.commit(() => store.run(sql, job.operationId, JSON.stringify(job)));
}

export const removeJob = (store: Store, job: Job): void => store.run('DELETE FROM job WHERE id = ?', job.operationId);

export const loadJobs = (store: Store): Job[] =>
  store.all('SELECT job FROM job').map(({ job }) => JSON.parse(String(job)) as Job);
