// The laboratory hypervisor: a simulated place where sources live, for examples and tests. A machine is a process with
// a raw disk image, so power and NIC mean something; there is no virtualisation and no guest operating system.
//   node examples/lab/hypervisor.ts --dir <state dir> --port <n> [--appliance <program>]
// Serves, on loopback only and without authentication:
//   GET  /                            what this is
//   GET  /machines/{m}                power, NIC, disks, agent
//   POST /machines/{m}/shutdown|poweroff|poweron
//   PUT  /machines/{m}/nic            { connected }
//   PUT  /machines/{m}/agent          { bootstrap }     DELETE: removes it
//   GET|PUT|DELETE /workers/{name}    the site's worker  { bootstrap }
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { exit } from 'node:process';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { InstalledAppliance } from './appliance.ts';
import { readMachines } from './description.ts';
import { Machine } from './machine.ts';
import { Processes } from './processes.ts';

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    port: { type: 'string', default: '0' },
    appliance: { type: 'string', default: join(import.meta.dirname, '..', '..', 'appliance', 'main.ts') },
  },
});
if (values.dir === undefined) {
  console.error('usage: hypervisor.ts --dir <state dir> --port <n> [--appliance <program>]');
  exit(2);
}
const labDir = resolve(values.dir);
const applianceProgram = resolve(values.appliance);
const workersDir = join(labDir, 'workers');
mkdirSync(workersDir, { recursive: true });

const processes = new Processes(labDir);
await processes.endLeftovers();

const machines = new Map(
  readMachines(labDir).map((one) => [one.id, new Machine(labDir, one, applianceProgram, processes)]),
);
const workers = new Map<string, InstalledAppliance>();
const workerName = /^[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?$/;

function workerOf(name: string): InstalledAppliance {
  const known =
    workers.get(name) ??
    new InstalledAppliance(`worker ${name}`, join(workersDir, name), applianceProgram, processes, name);
  workers.set(name, known);
  return known;
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const Bootstrap = z.strictObject({ bootstrap: z.string().min(1).max(16_384) });
const Nic = z.strictObject({ connected: z.boolean() });

async function answer(request: IncomingMessage): Promise<object> {
  if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(request.headers.host ?? '')) throw new Refusal(403, 'loopback only');
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const [kind, name = '', part] = pathname.split('/').filter((piece) => piece !== '');
  const verb = [request.method, part].filter(Boolean).join(' ');
  if (kind === undefined && verb === 'GET') {
    return { name: 'Landfall laboratory hypervisor', simulated: true, machines: [...machines.keys()] };
  }
  if (kind === 'machines') return onMachine(verb, name, request);
  if (kind === 'workers' && workerName.test(name)) return onWorker(verb, name, request);
  throw new Refusal(404, 'the laboratory hypervisor has no such thing');
}

async function onMachine(verb: string, id: string, request: IncomingMessage): Promise<object> {
  const machine = machines.get(id);
  if (!machine) throw new Refusal(404, `there is no machine ${id}`);
  switch (verb) {
    case 'GET':
      return machine.inspect();
    case 'POST shutdown':
      machine.shutDown();
      return {};
    case 'POST poweroff':
      await machine.powerOff();
      return {};
    case 'POST poweron':
      await machine.powerOn();
      return {};
    case 'PUT nic':
      await machine.setNic((await body(request, Nic)).connected);
      return {};
    case 'PUT agent':
      await machine.installAgent((await body(request, Bootstrap)).bootstrap);
      return {};
    case 'DELETE agent':
      await machine.removeAgent();
      return {};
    default:
      throw new Refusal(404, `a machine of the laboratory does not know ${verb}`);
  }
}

async function onWorker(verb: string, name: string, request: IncomingMessage): Promise<object> {
  const worker = workerOf(name);
  switch (verb) {
    case 'GET':
      if (!worker.installed) throw new Refusal(404, `there is no worker ${name}`);
      return { present: true };
    case 'PUT':
      await worker.install((await body(request, Bootstrap)).bootstrap, true);
      return {};
    case 'DELETE':
      await worker.remove();
      return {};
    default:
      throw new Refusal(404, `a worker of the laboratory does not know ${verb}`);
  }
}

async function body<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > 65_536) throw new Refusal(413, 'the body is too large');
    chunks.push(chunk);
  }
  try {
    return schema.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch (error) {
    throw new Refusal(400, error instanceof Error ? error.message : String(error));
  }
}

const server = createServer((request, response) => {
  answer(request)
    .then((result) => ({ status: 200, result }))
    .catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      if (!(error instanceof Refusal)) console.error(`${request.method} ${request.url}: ${message}`);
      return { status: error instanceof Refusal ? error.status : 500, result: { error: message } };
    })
    .then(({ status, result }) => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify(result));
    });
});

for (const machine of machines.values()) await machine.resume();
for (const name of readdirSync(workersDir)) if (workerName.test(name)) workerOf(name).start();
server.listen(Number(values.port), '127.0.0.1');
await once(server, 'listening');
console.log(`laboratory hypervisor (simulated) on http://127.0.0.1:${(server.address() as AddressInfo).port}`);

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  server.close();
  server.closeAllConnections();
  await Promise.all([
    ...[...machines.values()].map((machine) => machine.end()),
    ...[...workers.values()].map((worker) => worker.stop(3000)),
  ]);
  exit(0);
}
process.on('SIGTERM', () => void end());
process.on('SIGINT', () => void end());
