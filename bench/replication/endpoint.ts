// A staging blob behind the page endpoint, and the engine as a process that works against it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { nodeFlags } from '../../appliance/nodeFlags.ts';
import { nodeFlags as localFlags } from '../../local/nodeFlags.ts';
import { bundleProgram } from '../../tools/bundleProgram.ts';
import { cpuOf, watchMemory } from './measured.ts';
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
  const child = fork(join(import.meta.dirname, 'server.ts'), [folder, String(sizeBytes)], {
    execArgv: [...localFlags],
  });
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

/** A process that does one task after the other, as the appliance does one sync after the other. */
export interface Engine {
  /** `bytes` is what the rate is of. */
  run(what: string, bytes: number, task: Task): Promise<Row>;
  stop(): Promise<void>;
}

export async function startEngine(endpoint: Endpoint): Promise<Engine> {
  // One file, as the appliance is delivered: its threads start in half the time.
  const program = join(endpoint.folder, 'engine.mjs');
  await bundleProgram(join(import.meta.dirname, '../..'), join(import.meta.dirname, 'engine.ts'), program);
  const child = fork(program, [endpoint.url], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: endpoint.ca },
    execArgv: [...nodeFlags],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the engine ended with ${code}`);
  });
  ended.catch(() => {});
  const message = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), ended]))[0];
  await message();
  const pid = child.pid ?? 0;
  return {
    async run(what, bytes, task) {
      const [own, servers] = [cpuOf(pid), cpuOf(endpoint.pid)];
      const peak = watchMemory(pid);
      child.send(task);
      const { seconds, ...done } = Done.parse(await message());
      const [cpuSeconds, serverCpuSeconds] = [cpuOf(pid) - own, cpuOf(endpoint.pid) - servers];
      return { what, bytes, seconds, cpuSeconds, megabytes: peak(), serverCpuSeconds, ...done };
    },
    async stop() {
      child.disconnect();
      await ended.catch(() => {});
    },
  };
}

/** Runs the engine, or a half of it, in a process of its own. */
export async function runEngine(what: string, bytes: number, endpoint: Endpoint, task: Task): Promise<Row> {
  const engine = await startEngine(endpoint);
  try {
    return await engine.run(what, bytes, task);
  } finally {
    await engine.stop();
  }
}
