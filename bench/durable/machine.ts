// What the bench ran on: without it the figures mean nothing.
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { filesystemOf } from './directory.ts';

const flushes = 200;
const page = 4096;

/** Lines about processor, memory, Node and disk. */
export function describeMachine(directory: string): string[] {
  const [cpu] = cpus();
  const { type, device } = filesystemOf(directory);
  return [
    `${cpu?.model.trim()}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.versions.node}`,
    `${type} on ${device}`,
  ];
}

/** One line about this moment: the load, and how long a small write and its flush to the disk take. */
export function describeMoment(when: string, directory: string): string {
  const path = join(directory, 'flush');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(page, 1);
  const latencies = Array.from({ length: flushes }, () => {
    const before = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - before;
  }).sort((a, b) => a - b);
  closeSync(file);
  rmSync(path);
  const at = (share: number) => (latencies[flushes * share] ?? Number.NaN).toFixed(2);
  const load = loadavg()[0]?.toFixed(2);
  return `${when}: load average ${load}, write of ${page / 1024} KiB and fdatasync p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}
