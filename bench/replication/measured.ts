// Time, processor and memory of a program, with all that it starts.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

// A sample takes the process 3 ms.
const sampleEveryMs = 250;
// Linux counts a process's CPU time in ticks of 1/100 s for user space, on every architecture that Node supports.
const ticksPerSecond = 100;

export interface Measured {
  seconds: number;
  cpuSeconds: number;
  megabytes: number;
}

/** Waits for a program's end; throws if it fails. */
export async function measured(child: ChildProcess, what: string): Promise<Measured> {
  const began = performance.now();
  const before = childrensCpu();
  const peak = watchMemory(child.pid ?? 0);
  const [code] = (await once(child, 'exit')) as [number | null];
  const megabytes = peak();
  if (code !== 0) throw new Error(`${what} ended with ${code}`);
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: childrensCpu() - before, megabytes };
}

/** Samples a process and its descendants until it is called, which tells the peak in MB. */
export function watchMemory(pid: number): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, memoryOf(pid));
  }, sampleEveryMs);
  return () => {
    clearInterval(timer);
    return Math.max(peak, memoryOf(pid));
  };
}

/** Processor time of a process that runs, in seconds. */
export function cpuOf(pid: number): number {
  const fields = stat(pid);
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Processor time of this process's children that have ended, with their own. */
function childrensCpu(): number {
  const fields = stat('self');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** proc_pid_stat(5) from the third field on: the command in parentheses may hold blanks. */
function stat(pid: number | 'self'): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\)\s/s, '')
    .split(' ');
}

/** Proportional set size of a process and its descendants, in MB. */
function memoryOf(pid: number): number {
  try {
    const own = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return (Number(own) * 1024) / 1e6 + children.reduce((sum, child) => sum + memoryOf(child), 0);
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
