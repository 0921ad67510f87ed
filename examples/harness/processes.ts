// Programs that an example or a scenario starts: each leads a process group of its own, so that a Ctrl-C in the terminal
// reaches only whoever drives it, and writes to a log file, so that it can outlive its driver. They are on record in
// `processes.json` with their start time: nothing is ever ended by name, and nothing that somebody else started.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const Recorded = z.strictObject({ name: z.string(), pid: z.int(), startTime: z.string() });
export type Recorded = z.infer<typeof Recorded>;

const pollMs = 25;

// A dozen processes share a laptop. Their many buffers of a MiB go back to the system at once (mallopt(3)), and their
// young generations stay small; together that is a quarter of the memory.
const frugal = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '262144',
  MALLOC_TRIM_THRESHOLD_: '262144',
  NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --max-semi-space-size=2`.trim(),
};

/** The repository's root, in which the programs run. */
export const repository = join(import.meta.dirname, '..', '..');

// What one process has compiled the next one need not: that is half of what the local Azure takes to start.
// https://nodejs.org/api/module.html#module-compile-cache
const compiled = {
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(repository, 'node_modules', '.cache', 'compile'),
};

/** Starts a Node program of this repository. */
export function startProgram(
  folder: string,
  { name, args, env = {} }: { name: string; args: string[]; env?: Record<string, string> },
): ChildProcess {
  const logFile = logOf(folder, name);
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, args, {
    cwd: repository,
    env: { ...process.env, ...frugal, ...compiled, ...env },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const startTime = child.pid === undefined ? undefined : startTimeOf(child.pid);
  if (child.pid !== undefined && startTime !== undefined) {
    const others = recorded(folder).filter((one) => one.name !== name);
    write(folder, [...others, { name, pid: child.pid, startTime }]);
  }
  return child;
}

/** Where a program's output goes. */
export const logOf = (folder: string, name: string): string => join(folder, 'logs', `${name}.log`);

/** The last lines of a program's output, for messages about why it ended. */
export function lastLines(folder: string, name: string, count = 8): string {
  const file = logOf(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n') : '';
}

/** SIGTERM, and after `graceMs` SIGKILL; returns when the process is gone. Also for processes of an earlier driver. */
export async function endProcess({ pid, startTime }: Omit<Recorded, 'name'>, graceMs: number): Promise<void> {
  const alive = () => startTimeOf(pid) === startTime;
  if (!alive()) return;
  signal(pid, 'SIGTERM');
  for (const until = Date.now() + graceMs; alive() && Date.now() < until; ) await sleep(pollMs);
  if (alive()) signal(pid, 'SIGKILL');
  while (alive()) await sleep(pollMs);
}

/** Ends everything that is on record in a folder, last started first, and appliances that their keeper left behind. */
export async function endRecorded(folder: string, graceMs = 20_000): Promise<void> {
  for (const one of recorded(folder).toReversed()) await endProcess(one, graceMs);
  for (const orphan of applianceProcesses(folder)) await endProcess(orphan, 1000);
  if (existsSync(folder)) write(folder, []);
}

/** What is on record and still runs. */
export function running(folder: string): Recorded[] {
  return recorded(folder).filter(({ pid, startTime }) => startTimeOf(pid) === startTime);
}

/** Appliances, whoever started them, that keep their state in this folder; not the commands that they run on a source. */
export function appliancesOf(folder: string): Recorded[] {
  return applianceProcesses(folder).filter(({ pid }) =>
    textOf(pid, 'cmdline').some((word) => word.endsWith('appliance/main.ts')),
  );
}

/** Appliances and what they have started: told by their environment, which children inherit. */
function applianceProcesses(folder: string): Recorded[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) return [];
    const stateDir = textOf(pid, 'environ')
      .find((variable) => variable.startsWith('LANDFALL_STATE_DIR='))
      ?.slice('LANDFALL_STATE_DIR='.length);
    const startTime = startTimeOf(pid);
    if (startTime === undefined || !stateDir?.startsWith(`${folder}/`)) return [];
    return [{ name: stateDir.slice(folder.length + 1), pid, startTime }];
  });
}

/** Clock ticks since boot at which a process started: field 22 of /proc/pid/stat (proc(5)). A zombie has ended. */
export function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The zero-terminated words of /proc/pid/environ or cmdline; none if it is gone. */
function textOf(pid: number, file: 'environ' | 'cmdline'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
}

function recorded(folder: string): Recorded[] {
  const file = join(folder, 'processes.json');
  return existsSync(file) ? z.array(Recorded).parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
}

function write(folder: string, processes: Recorded[]): void {
  const file = join(folder, 'processes.json');
  writeFileSync(`${file}.new`, `${JSON.stringify(processes, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
