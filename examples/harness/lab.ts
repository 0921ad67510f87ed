// A laboratory of sources: real disks with real files, behind a laboratory hypervisor that runs as a process.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { machineDirOf } from '../lab/description.ts';
import { makeDisk, writeServerFiles } from '../lab/disk.ts';
import { endProcess, lastLines, repository, startProgram, startTimeOf } from './processes.ts';

const MiB = 2 ** 20;
const readyWithinMs = 20_000;
const stopWithinMs = 15_000;

/** A server of the laboratory with one disk and one service. */
export interface LabServer {
  id: string;
  service: string;
  diskMiB: number;
  /** Bytes that don't compress, so that there is something to carry. */
  dataMiB: number;
  refusesShutdown?: boolean;
}

export class Laboratory {
  readonly dir: string;
  readonly endpoint: string;
  /** By server: the port on which its service answers. */
  readonly ports: Readonly<Record<string, number>>;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, endpoint: string, ports: Record<string, number>) {
    this.#folder = folder;
    this.dir = join(folder, 'lab');
    this.endpoint = endpoint;
    this.ports = ports;
  }

  /** Makes the disks and writes down what the laboratory consists of; nothing runs yet. `folder` gets `lab/`. */
  static async make(
    folder: string,
    servers: readonly LabServer[],
    made: (server: LabServer) => void = () => {},
  ): Promise<Laboratory> {
    const dir = join(folder, 'lab');
    mkdirSync(dir, { recursive: true });
    const [own = 0, ...free] = await freePorts(servers.length + 1);
    const ports = Object.fromEntries(servers.map(({ id }, index) => [id, free[index] ?? 0]));
    const machines = servers.map(({ id, service, refusesShutdown }) => ({
      id,
      hostName: id,
      disks: [{ id: 'system', path: `disks/${id}.img` }],
      services: [{ name: service, port: ports[id] }],
      ...(refusesShutdown && { refusesShutdown }),
    }));
    for (const server of servers) {
      const { id, service, diskMiB, dataMiB } = server;
      const files = join(dir, 'files', id);
      await writeServerFiles(files, { hostName: id, service, textBytes: 2 * MiB, randomBytes: dataMiB * MiB });
      await makeDisk(join(dir, 'disks', `${id}.img`), { sizeBytes: diskMiB * MiB, files });
      rmSync(files, { recursive: true });
      made(server);
    }
    writeFileSync(join(dir, 'machines.json'), `${JSON.stringify(machines, null, 2)}\n`);
    return new Laboratory(folder, `http://127.0.0.1:${own}`, ports);
  }

  diskOf(id: string): string {
    return join(this.dir, 'disks', `${id}.img`);
  }

  machineDirOf(id: string): string {
    return machineDirOf(this.dir, id);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Powers on what was on; returns when the hypervisor answers. */
  async start(): Promise<void> {
    const args = [join('examples', 'lab', 'hypervisor.ts'), '--dir', this.dir, '--port', new URL(this.endpoint).port];
    const env = { NODE_EXTRA_CA_CERTS: join(this.#folder, 'cloud', 'pki', 'ca.crt') };
    const child = startProgram(this.#folder, { name: 'lab', args, env });
    this.#child = child;
    for (const until = Date.now() + readyWithinMs; !(await this.#answers()); await sleep(50)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`The laboratory did not start:\n${lastLines(this.#folder, 'lab')}`);
      if (Date.now() > until) throw new Error(`The laboratory is not ready after ${readyWithinMs / 1000} s`);
    }
  }

  /** What the hypervisor says about a machine. */
  async inspect(id: string): Promise<{ power: 'on' | 'off'; nicConnected: boolean; agentInstalled: boolean }> {
    const response = await fetch(`${this.endpoint}/machines/${id}`);
    return (await response.json()) as { power: 'on' | 'off'; nicConnected: boolean; agentInstalled: boolean };
  }

  async stop(): Promise<void> {
    const pid = this.#child?.pid;
    const startTime = pid === undefined ? undefined : startTimeOf(pid);
    if (pid !== undefined && startTime !== undefined) await endProcess({ pid, startTime }, stopWithinMs);
    this.#child = undefined;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  leave(): void {
    this.#child?.unref();
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(this.endpoint)).ok;
    } catch {
      return false;
    }
  }
}

/** The programs by which a source names its services and snapshots. */
export const labTools = join(repository, 'examples', 'lab');

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
