// Applications at rest while their disks are frozen: the source's own commands before and after. An application is never
// held longer than the source says, and never left at rest: what a crash has left is let go at the next start.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Source } from '../../shared/model/source.ts';
import { run } from '../commands/run.ts';
import { type Log, messageOf } from '../log.ts';
import { Problem } from '../problem.ts';
import type { Job } from './job.ts';

export type QuiesceCommands = NonNullable<Source['quiesce']>;

const thawWithinMs = 60_000;
const thawTries = 3;

interface Around {
  save(): void;
  log: Log;
  signal: AbortSignal;
  /** Milliseconds before a thaw that failed is tried again. */
  pauseMs?: number;
}

/**
 * Does `work` while the applications are at rest. Whether they really were, from beginning to end, stands in the job
 * afterwards: applications that will not rest, or not for so long, do not stop a sync. Throws `thawFailed` if they stay at rest.
 */
export async function whileAtRest(
  commands: QuiesceCommands,
  job: Job,
  around: Around,
  work: () => Promise<void>,
): Promise<void> {
  const { save, log, signal } = around;
  delete job.atRest;
  // Before the first command: one that is killed in the middle may have brought some of them to rest.
  job.resting = true;
  save();
  const { exit, output, errors } = await run(commands.freeze, commands.withinSeconds * 1000, signal);
  const rests = exit === 0;
  if (!rests)
    log.warn('the applications would not rest: the disks are frozen as after a crash', {
      syncId: job.command.syncId,
      error: messageOf(new Error(`${exit}: ${(errors || output).trim()}`)),
    });
  let over = !rests;
  let thawing: Promise<void> | undefined;
  const letGo = (): Promise<void> => {
    thawing ??= thaw(commands, job, around);
    // Whoever waits for it hears of its failure; until then nobody does.
    thawing.catch(() => undefined);
    return thawing;
  };
  const timer = setTimeout(() => {
    over = true;
    log.warn('the applications have rested for too long: they go on before all disks are frozen', {
      syncId: job.command.syncId,
      withinSeconds: commands.withinSeconds,
    });
    void letGo();
  }, commands.withinSeconds * 1000);
  if (!rests) void letGo();
  try {
    await work();
  } finally {
    clearTimeout(timer);
    const inTime = !over;
    await letGo();
    if (inTime) job.atRest = true;
    save();
  }
}

/** Lets applications go on that a process before this one may have left at rest. */
export async function wake(commands: QuiesceCommands, job: Job, around: Around): Promise<void> {
  if (job.resting) await thaw(commands, job, around);
}

/** Not interruptible: whatever ends the sync, the applications go on. */
async function thaw({ thaw: argv }: QuiesceCommands, job: Job, { save, log, pauseMs = 2000 }: Around): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { exit, output, errors } = await run(argv, thawWithinMs);
    if (exit === 0) break;
    const why = `${exit}: ${(errors || output).trim()}`;
    log.warn('the applications do not go on', { syncId: job.command.syncId, error: messageOf(new Error(why)) });
    if (tries === thawTries)
      throw new Problem(
        'thawFailed',
        `The applications were brought to rest for a snapshot and do not go on: ${why}`,
        'Run the thaw command on the source by hand, now; then look at why it fails.',
      );
    await sleep(pauseMs);
  }
  delete job.resting;
  save();
}
