// The source's own way to freeze a disk: its commands, with the disk's id appended.
import type { Source } from '../../shared/model/source.ts';
import { run } from '../commands/run.ts';
import { Problem } from '../problem.ts';

export type SnapshotCommands = NonNullable<Source['snapshot']>;

const within = 300_000;

/** Freezes a crash-consistent copy of the disk and returns the path to read it from. */
export async function take({ take: argv }: SnapshotCommands, diskId: string, signal?: AbortSignal): Promise<string> {
  const { exit, output, errors } = await run([...argv, diskId], within, signal);
  const path = output.trim().split('\n').at(-1)?.trim() ?? '';
  if (exit === 0 && path !== '') return path;
  throw new Problem(
    'snapshotFailed',
    `The snapshot of ${diskId} could not be taken (${exit}): ${(errors || output || 'it printed no path').trim()}`,
    'Run the snapshot command by hand on the source and look at what it says.',
  );
}

export async function release({ release: argv }: SnapshotCommands, diskId: string): Promise<void> {
  const { exit, output, errors } = await run([...argv, diskId], within);
  if (exit === 0) return;
  throw new Problem(
    'snapshotNotReleased',
    `The snapshot of ${diskId} could not be released (${exit}): ${(errors || output).trim()}`,
    'Release it by hand: a snapshot that stays grows with every write.',
  );
}
