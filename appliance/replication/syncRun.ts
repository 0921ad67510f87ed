// One sync from the first byte read to the snapshot of the last blob.
import type { FileHandle } from 'node:fs/promises';
import type { SyncDisk } from '../../shared/protocol/commands.ts';
import type { ApplianceEventData, DiskPoint } from '../../shared/protocol/events.ts';
import { rootOfRoots } from '../../shared/protocol/merkle.ts';
import { openDisk } from '../commands/disks.ts';
import type { Log } from '../log.ts';
import { Problem, Stopping } from '../problem.ts';
import type { Store } from '../state/store.ts';
import type { Buffers } from './buffers.ts';
import { copyDisk, verifyDisk } from './copyDisk.ts';
import { freeze, thaw } from './freeze.ts';
import { type Job, saveJob, workloadOf } from './job.ts';
import { Ledger } from './ledger.ts';
import { Meter, type Progress } from './meter.ts';
import type { Target } from './target.ts';

export interface SyncContext {
  store: Store;
  log: Log;
  buffers: Buffers;
  targetOf(disk: SyncDisk): Target;
  onProgress(progress: Progress): void;
  /** The clock that progress is told by, in milliseconds. */
  now(): number;
}

const checkpointMs = 1000;

/** Runs or resumes a job; returns what its completion says. */
export async function runSync(
  context: SyncContext,
  job: Job,
  signal: AbortSignal,
): Promise<ApplianceEventData<'landfall.sync.completed'>> {
  const { store, log } = context;
  const { kind, syncId, disks, verify, snapshot } = job.command;
  const commands = kind === 'final' ? undefined : snapshot;
  const save = (): void => saveJob(store, job);
  const opened: FileHandle[] = [];
  try {
    if (commands) await freeze(commands, job, save, log, signal);
    const files: FileHandle[] = [];
    for (const disk of disks) files.push(await openForSync(disk, job.snapshots[disk.diskId] ?? disk.path, opened));
    const meter = new Meter(
      disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      context.onProgress,
      context.now,
    );
    const copied: { disk: SyncDisk; target: Target; root: string }[] = [];
    for (const [index, disk] of disks.entries()) {
      const file = files[index];
      if (file) copied.push(await syncDisk(context, job, disk, file, meter, signal));
    }
    const points: DiskPoint[] = [];
    for (const { disk, target, root } of copied) {
      const { diskId, sizeBytes } = disk;
      const { changedBytes = 0 } = job.counts[diskId] ?? {};
      const name = await target.snapshot(signal);
      points.push({ diskId, sizeBytes, readBytes: sizeBytes, changedBytes, root, snapshot: name });
    }
    const bytes = Object.values(job.counts).reduce((sum, { verifiedBytes }) => sum + verifiedBytes, 0);
    return {
      syncId,
      kind,
      startedAt: job.startedAt,
      disks: points,
      root: rootOfRoots(points.map(({ root }) => root)),
      verified: { mode: verify, bytes },
      consistency: kind === 'final' ? 'stopped' : commands ? 'crash' : 'none',
      resumed: job.resumed,
    };
  } finally {
    for (const file of opened) await file.close();
    if (commands && !(signal.reason instanceof Stopping)) await thaw(commands, job, log);
  }
}

async function openForSync({ diskId, sizeBytes }: SyncDisk, path: string, opened: FileHandle[]): Promise<FileHandle> {
  const found = await openDisk(path);
  opened.push(found.file);
  if (found.sizeBytes !== sizeBytes)
    throw new Problem(
      'diskSizeChanged',
      `The disk ${diskId} has ${found.sizeBytes} bytes, and ${sizeBytes} were planned.`,
      'Bring the inventory up to date and plan the wave anew: its staging blob and target disk have the old size.',
    );
  return found.file;
}

async function syncDisk(
  { store, buffers, targetOf }: SyncContext,
  job: Job,
  disk: SyncDisk,
  file: FileHandle,
  meter: Meter,
  signal: AbortSignal,
): Promise<{ disk: SyncDisk; target: Target; root: string }> {
  const { diskId, sizeBytes } = disk;
  const ledger = new Ledger(store, workloadOf(job), diskId, sizeBytes);
  const target = targetOf(disk);
  const counts = { changedBytes: 0, verifiedBytes: 0, ...job.counts[diskId] };
  job.counts[diskId] = counts;
  // A verification that was cut off begins anew, and so does its count.
  if (job.command.verify === 'all' || ledger.written().length > 0) counts.verifiedBytes = 0;
  const checkpoint = (): void =>
    store.commit(() => {
      ledger.flush();
      saveJob(store, job);
    });
  const timer = setInterval(checkpoint, checkpointMs);
  const copy = {
    read: readerOf(file, disk),
    sizeBytes,
    target,
    ledger,
    buffers,
    signal,
    onDone(done: { compared?: number; changed?: number; verified?: number }) {
      counts.changedBytes += done.changed ?? 0;
      counts.verifiedBytes += done.verified ?? 0;
      meter.add(done);
    },
  };
  try {
    await copyDisk(copy);
    await verifyDisk(copy, job.command.verify);
    return { disk, target, root: ledger.root() };
  } finally {
    clearInterval(timer);
    checkpoint();
  }
}

function readerOf(file: FileHandle, { diskId }: SyncDisk) {
  return async (buffer: Buffer, offset: number, length: number): Promise<void> => {
    for (let at = 0; at < length; ) {
      const { bytesRead } = await file.read(buffer, at, length - at, offset + at).catch((error: unknown) => {
        throw new Problem(
          'diskUnreadable',
          `The disk ${diskId} can't be read at byte ${offset + at}: ${String(error)}`,
          'Check the disk’s health on the source, then retry.',
        );
      });
      if (bytesRead === 0)
        throw new Problem('diskSizeChanged', `The disk ${diskId} ended at byte ${offset + at}.`, 'Plan the wave anew.');
      at += bytesRead;
    }
  };
}
