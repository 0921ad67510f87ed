// One simulated machine of the laboratory: while it is on, this process runs; powering it off ends it.
//   node examples/lab/source.ts <labDir> <machineId> [--nic-disconnected]      (cwd: the machine's folder)
// Its services listen and write into its disk. It is started by the hypervisor and ends with it.
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { resolve } from 'node:path';
import { exit } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type ControlAnswer, type ControlRequest, type ServiceCommand, serveControl } from './control.ts';
import { readMachines } from './description.ts';
import { readModes, Service, writeModes } from './services.ts';

const execute = promisify(execFile);
const writeEveryMs = 150;

const [labDir = '', machineId = '', nicFlag] = process.argv.slice(2);
const machine = readMachines(labDir).find(({ id }) => id === machineId);
if (!machine) {
  console.error(`there is no machine ${machineId} in ${labDir}`);
  exit(2);
}

const services = new Map(machine.services.map((service) => [service.name, new Service(machine, service)]));
let nicConnected = nicFlag !== '--nic-disconnected';
let on = true;

// Everything that touches the disk waits its turn here, so that a copy never falls into a write.
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work);
  turn = mine.catch(() => undefined);
  return mine;
}

const modes = readModes(machine.services);
for (const service of services.values()) if (modes[service.name] === 'automatic') await service.start(nicConnected);
const control = await serveControl(answer);

// The cable is pulled and plugged in from outside.
process.on('message', (message) => void setNic(z.object({ nicConnected: z.boolean() }).parse(message).nicConnected));
process.on('disconnect', () => void powerDown());
if (!machine.refusesShutdown) process.on('SIGTERM', () => void powerDown());
else process.on('SIGTERM', () => console.log('asked to shut down, and did not'));
process.send?.('ready');
await work();

async function work(): Promise<void> {
  while (on) {
    for (const service of services.values()) {
      await inTurn(async () => {
        if (on && service.running) await service.write();
      });
    }
    await sleep(writeEveryMs);
  }
}

async function powerDown(): Promise<never> {
  on = false;
  await inTurn(async () => {
    for (const service of services.values()) await service.stop();
    control.close();
  });
  exit(0);
}

async function setNic(connected: boolean): Promise<void> {
  nicConnected = connected;
  for (const service of services.values()) {
    if (!connected) await service.close();
    else if (service.running) await service.open();
  }
  process.send?.('nic');
}

async function answer(request: ControlRequest): Promise<ControlAnswer> {
  switch (request.command) {
    case 'take':
    case 'release':
      return snapshot(request.command, request.disk);
    default:
      return controlService(request.command, request.service);
  }
}

async function controlService(command: ServiceCommand, name: string): Promise<ControlAnswer> {
  const service = services.get(name);
  if (!service) return { ok: false, text: `there is no service ${name}` };
  switch (command) {
    case 'start':
    case 'stop':
      // In turn: a stopped service has finished its last write.
      await inTurn(() => (command === 'start' ? service.start(nicConnected) : service.stop()));
      break;
    case 'automatic':
    case 'manual':
      modes[name] = command;
      writeModes(modes);
  }
  const { running } = service;
  const showsMode = command === 'mode' || command === 'automatic' || command === 'manual';
  return { ok: true, running, text: showsMode ? (modes[name] ?? 'automatic') : running ? 'running' : 'stopped' };
}

async function snapshot(command: 'take' | 'release', diskId: string): Promise<ControlAnswer> {
  const disk = machine?.disks.find(({ id }) => id === diskId);
  if (!disk) return { ok: false, text: `there is no disk ${diskId}` };
  const copy = resolve('snapshots', `${diskId}.img`);
  if (command === 'release') {
    rmSync(copy, { force: true });
    return { ok: true, text: 'released' };
  }
  mkdirSync('snapshots', { recursive: true });
  // Shares blocks where the filesystem can (Btrfs, XFS), else skips holes.
  await inTurn(() => execute('cp', ['--sparse=always', '--reflink=auto', '--', disk.path, `${copy}.new`]));
  await rename(`${copy}.new`, copy);
  return { ok: true, text: copy };
}
