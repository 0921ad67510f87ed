// Frozen copies of the source's disks for one sync. They are noted before they are taken, so that a crash leaves none
// behind unknown, and one that a crash left is read on, so that nothing has to be shipped twice.
import { type Log, messageOf } from '../log.ts';
import { probeDisk } from '../sources/open.ts';
import { type Job, readAnew } from './job.ts';
import { wake, whileAtRest } from './quiesce.ts';
import { release, type SnapshotCommands, take } from './snapshot.ts';

/** Takes what is missing of a job's snapshots; all of them where applications are at rest for them. */
export async function freeze(
  commands: SnapshotCommands,
  job: Job,
  save: () => void,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const { disks, quiesce, kind } = job.command;
  if (quiesce) await wake(quiesce, job, { save, log, signal });
  const missing: string[] = [];
  for (const { diskId, sizeBytes } of disks) if (!(await isThere(job, diskId, sizeBytes))) missing.push(diskId);
  if (missing.length === 0) return;
  // Before the final sync the services have stopped.
  if (!quiesce || kind === 'final') return takeEach(commands, job, missing, { save, log, signal });
  const all = disks.map(({ diskId }) => diskId);
  await whileAtRest(quiesce, job, { save, log, signal }, () => takeEach(commands, job, all, { save, log, signal }));
}

async function isThere(job: Job, diskId: string, sizeBytes: number): Promise<boolean> {
  const before = job.snapshots[diskId];
  if (!before) return false;
  const found = await probeDisk(before);
  return found.problem === undefined && found.sizeBytes === sizeBytes;
}

async function takeEach(
  commands: SnapshotCommands,
  job: Job,
  diskIds: readonly string[],
  { save, log, signal }: { save: () => void; log: Log; signal: AbortSignal },
): Promise<void> {
  for (const diskId of diskIds) {
    if (job.snapshots[diskId] !== undefined) await releaseOne(commands, job, diskId, log);
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
