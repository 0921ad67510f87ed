// Counts the fsync and fdatasync calls of the measured time, to see that two engines make the same promise. Uses strace,
// which slows an engine down a little and so groups more into one flush.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useDataDirectory } from './directory.ts';
import { runOnce, type Candidate } from './engines.ts';

export function straceWorks(): boolean {
  return spawnSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=fsync', 'true']).status === 0;
}

/** One line: how many flushes the candidate made, and how many that is for one workflow. */
export async function countFsyncs(candidate: Candidate, n: number, directory: string): Promise<string> {
  const output = join(useDataDirectory(directory), 'strace');
  const strace = ['strace', '-f', '--seccomp-bpf', '-ttt', '-e', 'trace=fsync,fdatasync', '-o', output];
  const { from, to, workflows } = await runOnce(candidate, n, directory, strace);
  // strace(1): "pid seconds.microseconds name(arguments) = result"; a call that is resumed later has a second line.
  const calls = [...readFileSync(output, 'utf8').matchAll(/^\d+ +(\d+\.\d+) f(?:data)?sync\(/gm)]
    .map(([, seconds]) => Number(seconds) * 1000)
    .filter((time) => time >= from && time <= to).length;
  return `${candidate.name}, n=${n}: ${calls} flushes, ${(calls / workflows).toFixed(2)} a workflow`;
}
