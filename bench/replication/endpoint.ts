// A staging blob behind the page endpoint, and the engine as a process that works against it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { nodeFlags } from '../../local/nodeFlags.ts';
import { cpuOf, measured } from './measured.ts';
import type { Row } from './row.ts';
import { Done, type Task } from './task.ts';

export interface Endpoint {
  url: string;
  ca: string;
  /** For the state of engines that work against it. */
  folder: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts the endpoint with a new, empty blob, as `npm start` would start it. */
export async function startEndpoint(parent: string, sizeBytes: number): Promise<Endpoint> {
  const folder = join(parent, 'endpoint');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const child = fork(join(import.meta.dirname, 'server.ts'), [folder, String(sizeBytes)], { execArgv: [...nodeFlags] });
  const [said] = (await once(child, 'message')) as [unknown];
  const { url, ca } = z.object({ url: z.string(), ca: z.string() }).parse(said);
  return {
    ...{ url, ca, folder, pid: child.pid ?? 0 },
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs the engine, or a half of it, as a process of its own. `bytes` is what its rate is of. */
export async function runEngine(what: string, bytes: number, endpoint: Endpoint, task: Task): Promise<Row> {
  const before = cpuOf(endpoint.pid);
  const child = fork(join(import.meta.dirname, 'engine.ts'), [endpoint.url, JSON.stringify(task)], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: endpoint.ca },
    // As appliance/README.md says.
    execArgv: ['--max-semi-space-size=1'],
  });
  const said = once(child, 'message') as Promise<[unknown]>;
  const { cpuSeconds, megabytes } = await measured(child, what);
  const { seconds, ...done } = Done.parse((await said)[0]);
  return { what, bytes, seconds, cpuSeconds, megabytes, serverCpuSeconds: cpuOf(endpoint.pid) - before, ...done };
}
