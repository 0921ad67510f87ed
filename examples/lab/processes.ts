// The processes that the hypervisor started, on record: `<dir>/pids.json`. A pid alone proves nothing after a restart,
// a pid with its start time does, so nothing is ever ended by name and nothing that somebody else started.
import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const Recorded = z.array(z.strictObject({ name: z.string(), pid: z.int(), startTime: z.string() }));
type Recorded = z.infer<typeof Recorded>[number];

export class Processes {
  readonly #file: string;
  #recorded: Recorded[] = [];

  constructor(labDir: string) {
    this.#file = join(labDir, 'pids.json');
  }

  /** Ends what an earlier hypervisor of this laboratory left running, so that it can be started anew. */
  async endLeftovers(): Promise<void> {
    const leftovers = Recorded.safeParse(readJson(this.#file)).data ?? [];
    for (const leftover of leftovers) if (isAlive(leftover)) await cutPower(leftover.pid);
    this.#save();
  }

  /** Puts a child on record until it ends. */
  record(name: string, child: ChildProcess): void {
    const pid = child.pid;
    const startTime = pid === undefined ? undefined : startTimeOf(pid);
    if (pid === undefined || startTime === undefined) return;
    this.#recorded.push({ name, pid, startTime });
    this.#save();
    child.once('exit', () => {
      this.#recorded = this.#recorded.filter((one) => one.pid !== pid);
      this.#save();
    });
  }

  #save(): void {
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(this.#recorded, null, 2)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/**
 * Ends a process at once, and waits for the debugfs that it may have under way: a disk finishes the sector that it is
 * writing when the power goes, and debugfs has no journal that could make up for half a run.
 */
export async function cutPower(pid: number): Promise<void> {
  signal(pid, 'SIGSTOP');
  const children = childrenOf(pid);
  signal(pid, 'SIGKILL');
  for (const child of [pid, ...children]) {
    const startTime = startTimeOf(child);
    while (startTime !== undefined && startTimeOf(child) === startTime) await sleep(10);
  }
}

/** SIGTERM, and when that is not enough within `graceMs`, SIGKILL. */
export async function endGracefully(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => {
    if (child.pid !== undefined) void cutPower(child.pid);
  }, graceMs);
  await ended;
  clearTimeout(timer);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
}

function isAlive({ pid, startTime }: Recorded): boolean {
  return startTimeOf(pid) === startTime;
}

/** Clock ticks since boot at which a process started: field 22 of /proc/pid/stat (proc(5)). A zombie has ended. */
function startTimeOf(pid: number): string | undefined {
  const fields = statOf(pid);
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19];
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((candidate) => Number.isInteger(candidate) && statOf(candidate)?.[1] === String(pid));
}

/** The fields of /proc/pid/stat from the third one on. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
