// A laboratory for tests: one machine with a small real disk, behind a real hypervisor process.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeDisk, writeServerFiles } from '../../../examples/lab/disk.ts';
import { Source } from '../../../shared/model/source.ts';

const lab = join(import.meta.dirname, '..', '..', '..', 'examples', 'lab');

// Stands for the appliance: says which bootstrap it got, and lives until it is ended.
const stubAppliance = `
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
const { bootstrap } = { bootstrap: readFileSync(process.env.LANDFALL_BOOTSTRAP, 'utf8') };
appendFileSync(join(process.env.LANDFALL_STATE_DIR, 'starts'), process.pid + ' ' + bootstrap + '\\n');
setInterval(() => {}, 1000);
`;

export interface Laboratory {
  dir: string;
  machineDir: string;
  image: string;
  port: number;
  endpoint: string;
  source: Source;
  /** Lines that the stub appliance wrote, one per start: pid and bootstrap. */
  starts(folder: string): { pid: number; bootstrap: string }[];
  tool(name: 'servicectl' | 'snapshotctl', ...args: string[]): Promise<{ code: number; out: string; err: string }>;
  hypervisor(): ChildProcess;
  startHypervisor(): Promise<void>;
  stopHypervisor(signal?: NodeJS.Signals): Promise<void>;
  remove(): Promise<void>;
}

export async function makeLaboratory(machine: { refusesShutdown?: boolean } = {}): Promise<Laboratory> {
  const dir = mkdtempSync(join(tmpdir(), 'landfall-lab-'));
  const files = join(dir, 'files');
  const image = join(dir, 'disks', 'db-01.img');
  await writeServerFiles(files, { hostName: 'db-01', service: 'ledger', textBytes: 10_000, randomBytes: 100_000 });
  await makeDisk(image, { sizeBytes: 24 * 2 ** 20, files });
  const port = await freePort();
  const description = {
    id: 'db-01',
    hostName: 'db-01',
    disks: [{ id: 'system', path: 'disks/db-01.img' }],
    services: [{ name: 'ledger', port }],
    ...machine,
  };
  writeFileSync(join(dir, 'machines.json'), JSON.stringify([description]));
  const program = join(dir, 'appliance.mjs');
  writeFileSync(program, stubAppliance);
  mkdirSync(join(dir, 'machines', 'db-01'), { recursive: true });
  const machineDir = join(dir, 'machines', 'db-01');

  let child: ChildProcess | undefined;
  const laboratory: Laboratory = {
    dir,
    machineDir,
    image,
    port,
    endpoint: '',
    source: sourceAt('http://127.0.0.1:1', machineDir),
    starts: (folder) =>
      readFileSync(join(folder, 'state', 'starts'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => ({ pid: Number.parseInt(line, 10), bootstrap: line.slice(line.indexOf(' ') + 1) })),
    tool: (name, ...args) => run(process.execPath, [join(lab, `${name}.ts`), machineDir, ...args]),
    hypervisor: () => child as ChildProcess,
    async startHypervisor() {
      const args = [join(lab, 'hypervisor.ts'), '--dir', dir, '--port', '0', '--appliance', program];
      child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = await once(createInterface({ input: child.stdout! }), 'line');
      laboratory.endpoint = /http:\S+/.exec(String(line))?.[0] ?? '';
      laboratory.source = sourceAt(laboratory.endpoint, machineDir);
    },
    async stopHypervisor(signal = 'SIGTERM') {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
    async remove() {
      await laboratory.stopHypervisor();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return laboratory;
}

function sourceAt(endpoint: string, machineDir: string): Source {
  const ctl = (verb: string) => [process.execPath, join(lab, 'servicectl.ts'), machineDir, verb, 'ledger'];
  return Source.parse({
    id: 'db-01',
    hostName: 'db-01.lab',
    platform: 'kvm',
    os: { family: 'linux', name: 'Landfall Lab Linux' },
    site: 'lab',
    host: { kind: 'lab', endpoint, machine: 'db-01' },
    disks: [{ id: 'system', path: '/disk', sizeBytes: 24 * 2 ** 20, boot: true }],
    nics: [],
    services: [{ name: 'ledger', start: ctl('start'), stop: ctl('stop'), status: ctl('status') }],
    owner: 'tests',
    criticality: 'low',
  });
}

/** What the service says on its port, or undefined when nobody listens. */
export async function callService(port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    return text;
  } catch {
    return undefined;
  }
}

export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

export function run(program: string, args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { maxBuffer: 2 ** 24 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, out: out.trim(), err: err.trim() }),
    );
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
