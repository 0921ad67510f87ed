// A whole disk, copied cold to a new target: the two ceilings, the engine, and the tools.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeCold } from './disks.ts';
import { type Endpoint, runEngine, startEndpoint } from './endpoint.ts';
import { measured } from './measured.ts';
import type { Row } from './row.ts';
import type { Task } from './task.ts';

export const names = {
  read: 'ceiling: read and hash the source',
  readHere: 'the same, hashed in the main thread',
  write: 'ceiling: write through the page endpoint',
  both: 'both ceilings at once, in two processes',
  engine: 'this engine',
  engineHere: 'this engine, hashing in the main thread',
  engineProven: 'this engine, everything read back',
  qemuImg: 'qemu-img convert',
  rsync: 'rsync --inplace --no-whole-file --fsync',
} as const;

export interface Disk {
  path: string;
  sizeBytes: number;
  dataBytes: number;
}

export async function copyWhole({ path, sizeBytes, dataBytes }: Disk, folder: string): Promise<Row[]> {
  const onEndpoint = async (work: (endpoint: Endpoint) => Promise<Row>): Promise<Row> => {
    makeCold(path);
    const endpoint = await startEndpoint(folder, sizeBytes);
    try {
      return await work(endpoint);
    } finally {
      await endpoint.stop();
    }
  };
  const engine = (what: string, bytes: number, task: Task): Promise<Row> =>
    onEndpoint((endpoint) => runEngine(what, bytes, endpoint, task));
  const state = join(folder, 'endpoint', 'state');
  const sync = { path, kind: 'sync', state, sizeBytes } as const;
  const copy = join(folder, 'copy');
  const reading = { kind: 'read', path } as const;
  const writing = { kind: 'write', path, bytes: dataBytes } as const;
  const both = (): Promise<Row> =>
    onEndpoint(async (endpoint) => {
      const [read, write] = await Promise.all([
        runEngine(names.read, sizeBytes, endpoint, reading),
        runEngine(names.write, dataBytes, endpoint, writing),
      ]);
      return {
        ...{ what: names.both, bytes: sizeBytes, seconds: Math.max(read.seconds, write.seconds) },
        cpuSeconds: read.cpuSeconds + write.cpuSeconds,
        serverCpuSeconds: Math.max(read.serverCpuSeconds, write.serverCpuSeconds),
        megabytes: read.megabytes + write.megabytes,
      };
    });
  const tool = async (what: string, program: string, ...parameters: string[]): Promise<Row> => {
    makeCold(path);
    const child = spawn(program, [...parameters, path, copy], { stdio: ['ignore', 'ignore', 'inherit'] });
    const row = { what, bytes: sizeBytes, ...(await measured(child, what)), serverCpuSeconds: 0 };
    rmSync(copy);
    return row;
  };
  return [
    await engine(names.read, sizeBytes, reading),
    await engine(names.readHere, sizeBytes, { ...reading, threads: 0 }),
    await engine(names.write, dataBytes, writing),
    await both(),
    await engine(names.engine, sizeBytes, { ...sync, verify: 'sample' }),
    await engine(names.engineHere, sizeBytes, { ...sync, verify: 'sample', threads: 0 }),
    await engine(names.engineProven, sizeBytes, { ...sync, verify: 'written' }),
    await tool(
      names.qemuImg,
      'qemu-img',
      'convert',
      '-t',
      'writeback',
      '-f',
      'raw',
      '-O',
      'vpc',
      '-o',
      'subformat=fixed,force_size=on',
    ),
    await tool(names.rsync, 'rsync', '--inplace', '--no-whole-file', '--fsync'),
  ];
}
