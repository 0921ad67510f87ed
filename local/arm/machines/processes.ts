// What /proc tells about processes: a pid alone proves nothing after a restart, a pid with its start time does.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot at which it started: field 22 of /proc/pid/stat. */
  readonly startTime: string;
}

/** The identity of a live process; a zombie is not alive. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTime = fields[19];
    return startTime === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

export const isAlive = ({ pid, startTime }: ProcessIdentity): boolean => identify(pid)?.startTime === startTime;

/** Finds a group leader that was started with this environment entry: one whose pid could not be recorded in time. */
export function findByEnvironment(entry: string): ProcessIdentity | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const entries = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const group = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
      if (entries.includes(entry) && group === name) return identify(Number(name));
    } catch {
      // Gone meanwhile, or not ours to read.
    }
  }
  return undefined;
}

/** Ends the process and its group: SIGTERM, and SIGKILL when it has not gone after `graceMs`. */
export async function end(identity: ProcessIdentity, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  signal(identity, 'SIGTERM');
  while (isAlive(identity) && Date.now() < deadline) await sleep(20);
  signal(identity, 'SIGKILL');
  while (isAlive(identity)) await sleep(20);
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(-identity.pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}
