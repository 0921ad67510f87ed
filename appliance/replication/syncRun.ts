// One sync from the first byte read to the snapshot of the last blob.
import { rootOfRoots } from '../../shared/protocol/merkle.ts';
import type { SyncDisk } from '../../shared/protocol/commands.ts';
import type { ApplianceEventData, DiskPoint } from '../../shared/protocol/events.ts';
import { type Log, messageOf } from '../log.ts';
import { Stopping } from '../problem.ts';
import type { DiskSource } from '../sources/source.ts';
import type { Store } from '../state/store.ts';
import { openWithBitmap, refusing } from './bitmap.ts';
import { freeze, thaw } from './freeze.ts';
import { type Job, progressOf, saveJob } from './job.ts';
import { inLanes } from './lanes.ts';
import { Meter, type Progress } from './meter.ts';
import type { Share } from './slots.ts';
import type { SnapshotCommands } from './snapshot.ts';
import { type DiskProof, syncDisk } from './syncDisk.ts';
import type { Target } from './target.ts';

export interface SyncContext {
  store: Store;
  log: Log;
  memory: Share;
  targetOf(disk: SyncDisk): Target;
  onProgress(progress: Progress): void;
  /** The clock that progress is told by, in milliseconds. */
  now(): number;
}

type Point = ApplianceEventData<'landfall.sync.completed'>;

const disksAtOnce = 4;

/** Runs or resumes a job; returns what its completion says. */
export async function runSync(
  context: SyncContext,
  job: Job,
  signal: AbortSignal,
): Promise<ApplianceEventData<'landfall.sync.completed'>> {
  const { log } = context;
  const { kind, syncId, disks, verify, snapshot } = job.command;
  const commands = kind === 'final' && !job.isTracked ? undefined : snapshot;
  const sources: DiskSource[] = [];
  try {
    if (commands) await freezeAll(context, commands, job, signal);
    for (const disk of disks) sources.push(await openWithBitmap(job, disk, refusing(job, disk.diskId, log)));
    job.tracks = disks.every(({ diskId }) => job.changed[diskId] !== undefined);
    const meter = new Meter(
      disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      context.onProgress,
      context.now,
    );
    const places = disks.map((disk, index) => ({ disk, index, target: context.targetOf(disk) }));
    const proofs: DiskProof[] = [];
    await inLanes(places, disksAtOnce, signal, async ({ disk, index, target }, either) => {
      const source = sources[index];
      const refuse = refusing(job, disk.diskId, log);
      if (source) proofs[index] = await syncDisk(context, { job, disk, source, target, meter, refuse }, either);
    });
    const points: DiskPoint[] = [];
    for (const { disk, index, target } of places) {
      const { diskId, sizeBytes } = disk;
      const { root, targetRoot, version } = proofs[index] ?? unproven(diskId);
      const { readBytes, changedBytes, by, bitmapRefused } = progressOf(job, diskId);
      const name = await target.snapshot(version, signal);
      points.push({
        ...{ diskId, sizeBytes, readBytes, changedBytes, root, targetRoot, snapshot: name },
        ...(by && { changesFrom: by }),
        ...(bitmapRefused !== undefined && { bitmapRefused }),
      });
    }
    return {
      syncId,
      kind,
      startedAt: job.startedAt,
      disks: points,
      root: rootOfRoots(points.map(({ root }) => root)),
      verified: {
        mode: verify,
        bytes: disks.reduce((sum, { diskId }) => sum + progressOf(job, diskId).verifiedBytes, 0),
      },
      consistency: consistencyOf(job, commands !== undefined),
      resumed: job.resumed,
    };
  } finally {
    for (const source of sources) await source.close();
    if (commands && !(signal.reason instanceof Stopping)) await thaw(commands, job, log);
  }
}

/** What a start of the machine from this point would find. */
function consistencyOf({ command: { kind, disks }, atRest }: Job, frozen: boolean): Point['consistency'] {
  if (kind === 'final') return 'stopped';
  if (!frozen && !disks.every(({ changed }) => changed)) return 'none';
  return atRest ? 'application' : 'crash';
}

/** The final sync does not depend on frozen copies: they only spare it the comparison of all of the disk. */
async function freezeAll(
  { store, log }: SyncContext,
  commands: SnapshotCommands,
  job: Job,
  signal: AbortSignal,
): Promise<void> {
  try {
    await freeze(commands, job, () => saveJob(store, job), log, signal);
  } catch (error) {
    if (job.command.kind !== 'final' || signal.aborted) throw error;
    log.warn('the disks could not be frozen and are compared as they are', { error: messageOf(error) });
    await thaw(commands, job, log);
  }
}

function unproven(diskId: string): never {
  throw new Error(`the disk ${diskId} was not copied`);
}
