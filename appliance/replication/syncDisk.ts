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
import { type Proof, proveDisk } from './proveDisk.ts';
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
  let mark = new Mark(progress.next);
  const checkpoint = (): void => {
    progress.next = mark.position;
    store.keep(() => {
      ledger.flush();
      saveJob(store, job);
    });
  };
  const timer = setInterval(checkpoint, checkpointMs);
  const copy: Copy = {
    ...{ source, diskBytes, target, ledger, memory, signal },
    onDone(done) {
      progress.readBytes += done.read ?? 0;
      progress.changedBytes += done.changed ?? 0;
      progress.verifiedBytes += done.verified ?? 0;
      meter.add(done);
    },
  };
  meter.add({ compared: progress.phase === 'copy' ? mark.position * blockBytes : sizeBytes });
  try {
    let proof: Proof | undefined;
    while (proof === undefined || proof.missed !== undefined) {
      if (progress.phase === 'copy') {
        await compareDisk(copy, progress, mark, refuse);
        progress.phase = 'verify';
        mark = new Mark(0);
      }
      proof = await proveDisk(copy, progress, job.command.verify, mark);
      if (proof.missed === undefined) continue;
      refuse(`it does not tell a change at byte ${proof.missed}`);
      Object.assign(progress, { phase: 'copy', by: 'manifest' });
      mark = new Mark(0);
      checkpoint();
    }
    const { source: root, target: targetRoot, differing } = await ledger.roots();
    if (differing.length === 0) return { root, targetRoot, version: proof.version };
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
