// What the bench ran on: without it the figures mean nothing.
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { filesystemOf, useDataDirectory } from './directory.ts';

const flushes = 200;
const page = 4096;

/** Lines about processor, memory, Node, disk and load; measures how long a flush to the disk takes. */
export function describeMachine(directory: string): string[] {
  mkdirSync(directory, { recursive: true });
  const [cpu] = cpus();
  const { type, device } = filesystemOf(directory);
  const { p50, p99 } = flushLatency(useDataDirectory(directory));
  return [
    `${cpu?.model.trim()}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.versions.node}`,
    `${type} on ${device}; write of ${page / 1024} KiB and fdatasync: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`,
    `load average at the start ${loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')}`,
  ];
}

function flushLatency(directory: string): { p50: number; p99: number } {
  const file = openSync(join(directory, 'flush'), 'w');
  const block = Buffer.alloc(page, 1);
  const latencies = Array.from({ length: flushes }, () => {
    const before = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - before;
  }).sort((a, b) => a - b);
  closeSync(file);
  return { p50: latencies[flushes * 0.5] ?? 0, p99: latencies[flushes * 0.99] ?? 0 };
}
