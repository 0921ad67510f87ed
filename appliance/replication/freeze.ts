// Frozen copies of the source's disks for one sync. They are noted before they are taken, so that a crash leaves none
// behind unknown, and one that a crash left is read on, so that nothing has to be shipped twice.
import { type Log, messageOf } from '../log.ts';
import { probeDisk } from '../sources/open.ts';
import { type Job, readAnew } from './job.ts';
import { release, type SnapshotCommands, take } from './snapshot.ts';

/** Takes what is missing of a job's snapshots. */
export async function freeze(
  commands: SnapshotCommands,
  job: Job,
  save: () => void,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (const { diskId, sizeBytes } of job.command.disks) {
    const before = job.snapshots[diskId];
    if (before) {
      const found = await probeDisk(before);
      if (found.problem === undefined && found.sizeBytes === sizeBytes) continue;
    }
    if (before !== undefined) await releaseOne(commands, job, diskId, log);
    job.snapshots[diskId] = '';
    delete job.changed[diskId];
    // Another copy than the one that a process before this one has read from.
    readAnew(job, diskId);
    save();
    const { path, changed } = await take(commands, diskId, { syncId: job.command.syncId, since: job.since }, signal);
    job.snapshots[diskId] = path;
    if (changed !== undefined) job.changed[diskId] = changed;
    save();
  }
}

export async function thaw(commands: SnapshotCommands, job: Job, log: Log): Promise<void> {
  for (const diskId of Object.keys(job.snapshots)) {
    await releaseOne(commands, job, diskId, log);
    delete job.snapshots[diskId];
    delete job.changed[diskId];
  }
}

async function releaseOne(commands: SnapshotCommands, { command }: Job, diskId: string, log: Log): Promise<void> {
  try {
    await release(commands, diskId, command.syncId);
  } catch (error) {
    log.warn('a snapshot was not released', { diskId, error: messageOf(error) });
  }
}
