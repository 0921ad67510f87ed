// One disk of a sync: copied, read back, proven. What is done is checkpointed every second, with what is known of the blob.
import type { SyncDisk } from '../../shared/protocol/commands.ts';
import { vhdDiskSizeOf } from '../../shared/model/vhd.ts';
import { Problem } from '../problem.ts';
import type { DiskSource } from '../sources/source.ts';
import type { Store } from '../state/store.ts';
import { blockBytes } from './blocks.ts';
import type { Refuse } from './bitmap.ts';
import { compareDisk } from './compareDisk.ts';
import type { Copy } from './copyDisk.ts';
import { type Job, progressOf, readAnew, saveJob, workloadOf } from './job.ts';
import { Mark } from './lanes.ts';
import { Ledger } from './ledger.ts';
import type { Meter } from './meter.ts';
import { proveDisk } from './proveDisk.ts';
import type { Share } from './slots.ts';
import type { Target } from './target.ts';

export interface DiskWork {
  job: Job;
  disk: SyncDisk;
  source: DiskSource;
  target: Target;
  meter: Meter;
  /** Is told why the source’s bitmap is not used after all. */
  refuse: Refuse;
}

/** What is known at the end: the roots of both sides, and for which version of the blob. */
export interface DiskProof {
  root: string;
  targetRoot: string;
  version: string;
}

/** What a killed process has to do again. */
const checkpointEveryMs = 1000;

export async function syncDisk(
  { store, memory, checkpointMs = checkpointEveryMs }: { store: Store; memory: Share; checkpointMs?: number },
  { job, disk: { diskId, sizeBytes }, source, target, meter, refuse }: DiskWork,
  signal: AbortSignal,
): Promise<DiskProof> {
  const diskBytes = vhdDiskSizeOf(sizeBytes);
  const ledger = new Ledger(store, workloadOf(job), diskId, diskBytes);
  // A disk that is read live may have been written while no process looked, and the final sync must not miss that.
  if (job.command.kind === 'final' && !job.snapshots[diskId]) readAnew(job, diskId);
  const progress = progressOf(job, diskId);
  // What is done must be known: a process may have ended while damage was repaired, or have been of an earlier version.
  const done = progress.phase === 'verify' ? ledger.blocks : progress.next;
  if (!ledger.unknown(0, done).next().done) Object.assign(progress, { phase: 'copy', next: 0 });
  let mark = new Mark(progress.next);
  const checkpoint = (): void => {
    progress.next = mark.position;
    store.keep(() => {
      ledger.flush();
      saveJob(store, job);
    });
  };
  const timer = setInterval(checkpoint, checkpointMs);
  const doubt = (byte: number): void => {
    refuse(`it does not tell a change at byte ${byte}`);
    Object.assign(progress, { phase: 'copy', by: 'manifest' });
    mark = new Mark(0);
    checkpoint();
  };
  const copy: Copy = {
    ...{ source, diskBytes, target, ledger, memory, signal },
    onDone(done) {
      progress.readBytes += done.read ?? 0;
      progress.changedBytes += done.changed ?? 0;
      progress.verifiedBytes += done.verified ?? 0;
      meter.add(done);
    },
  };
  const isCompared = progress.phase === 'verify' && progress.by !== 'bitmap';
  meter.add({ compared: isCompared ? sizeBytes : progress.phase === 'copy' ? mark.position * blockBytes : 0 });
  try {
    let version: string | undefined;
    let damage: Problem | undefined;
    while (version === undefined) {
      if (progress.phase === 'copy') {
        await compareDisk(copy, progress, mark, refuse);
        progress.phase = 'verify';
        mark = new Mark(0);
      }
      const proof = await proveDisk(copy, progress, { mode: job.command.verify, mark, doubt });
      damage ??= proof.damage;
      // What is doubted is compared before anything else: the next sync would believe the same bitmap.
      if (damage && !proof.isDoubted) throw damage;
      version = proof.version;
    }
    const { source: root, target: targetRoot, differing } = await ledger.roots();
    if (differing.length === 0) return { root, targetRoot, version };
    throw new Problem(
      'verificationFailed',
      `Source and staging blob have the roots ${root} and ${targetRoot}; they differ in the blocks ${differing.slice(0, 50).join(', ')} of 4 MiB.`,
      'Start an initial sync: it trusts nothing that is known so far.',
    );
  } finally {
    clearInterval(timer);
    checkpoint();
  }
}
