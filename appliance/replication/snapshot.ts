// The source's own way to freeze a disk: its commands, with the disk's id appended.
import type { Source } from '../../shared/model/source.ts';
import { run } from '../commands/run.ts';
import { Problem } from '../problem.ts';

export type SnapshotCommands = NonNullable<Source['snapshot']>;

const within = 300_000;

export interface Frozen {
  /** Where the copy is read. */
  path: string;
  /** The metadata context of that NBD export which tells what has changed since the freeze of `since`. */
  changed?: string;
}

/** The sync that a copy is for, and the one whose copy the changes are wanted since, if there is one. */
export interface ForSync {
  syncId: string;
  since?: string | undefined;
}

const changedLine = /^changed:\s*(qemu:dirty-bitmap:.+)$/;

/**
 * Freezes a crash-consistent copy of the disk. The command prints where to read it in its last line, and before it, if it
 * knows, `changed: ` and the metadata context.
 */
export async function take(
  { take: argv }: SnapshotCommands,
  diskId: string,
  { syncId, since }: ForSync,
  signal?: AbortSignal,
): Promise<Frozen> {
  const told = { LANDFALL_SYNC: syncId, LANDFALL_SINCE: since ?? '' };
  const { exit, output, errors } = await run([...argv, diskId], within, signal, told);
  const lines = output.split('\n').map((line) => line.trim());
  const path = lines.findLast((line) => line !== '') ?? '';
  const changed = lines.map((line) => changedLine.exec(line)?.[1]).find((context) => context !== undefined);
  if (exit === 0 && path !== '') return { path, ...(changed !== undefined && since !== undefined && { changed }) };
  throw new Problem(
    'snapshotFailed',
    `The snapshot of ${diskId} could not be taken (${exit}): ${(errors || output || 'it printed no path').trim()}`,
    'Run the snapshot command by hand on the source and look at what it says.',
  );
}

export async function release({ release: argv }: SnapshotCommands, diskId: string, syncId: string): Promise<void> {
  const { exit, output, errors } = await run([...argv, diskId], within, undefined, { LANDFALL_SYNC: syncId });
  if (exit === 0) return;
  throw new Problem(
    'snapshotNotReleased',
    `The snapshot of ${diskId} could not be released (${exit}): ${(errors || output).trim()}`,
    'Release it by hand: a snapshot that stays grows with every write.',
  );
}
