// Power and run command. A machine of a registered image is a process; any other is its disk, and runs only as far as
// its disk proves that it could, unless a hypervisor is declared that boots it.
import { z } from 'zod';
import type { Handler, Kernel } from '../contract.ts';
import { badRequest, conflict, notSimulated } from '../http/errors.ts';
import { lastName } from '../ids.ts';
import { isJson, type Json, parse, part, text } from '../json.ts';
import { findRoot } from '../machines/boot.ts';
import { Filesystem } from '../machines/filesystem.ts';
import { checkConnections, parseScript, runScript } from '../machines/runCommand.ts';
import { passage } from '../network/passage.ts';
import type { Resource } from '../store.ts';
import { existing, provisioning, requireGroup } from './common.ts';
import { uniqueId } from './diskState.ts';
import { machineType } from './quota.ts';

const commandBody = z.looseObject({
  commandId: z.string(),
  script: z.array(z.string()).default([]),
  parameters: z.array(z.unknown()).default([]),
});

const storageOf = (machine: Resource): Json => part(part(machine.body, 'properties'), 'storageProfile');

/** The registered image that the machine is made of; nothing when it is its disk. */
function imageOf(kernel: Kernel, machine: Resource): string | undefined {
  if (text(part(storageOf(machine), 'osDisk'), 'createOption') !== 'FromImage') return undefined;
  const image = text(part(storageOf(machine), 'imageReference'), 'id');
  return image && kernel.machines.isImage(image) ? image : undefined;
}

/** Refuses to run anything on a machine that is a process. */
export function requireDisk(kernel: Kernel, machine: Resource): void {
  if (imageOf(kernel, machine))
    throw notSimulated('Run command is not simulated on a machine that is a process: there is no disk to read.');
}

/** The filesystem of a machine that is its disk, and the file that this disk is. */
async function diskOf(kernel: Kernel, machine: Resource): Promise<{ image: string; root: Filesystem }> {
  const diskId = text(part(part(storageOf(machine), 'osDisk'), 'managedDisk'), 'id') ?? '';
  const disk = kernel.store.get(diskId);
  if (!disk)
    throw conflict('OSProvisioningClientError', `The OS disk ${diskId} of VM '${lastName(machine.id)}' is gone.`);
  const image = kernel.disks.path(uniqueId(disk));
  const root = await findRoot(image);
  if ('offset' in root) return { image, root: new Filesystem(image, root.offset) };
  throw conflict(
    'OSProvisioningClientError',
    `OS provisioning for VM '${lastName(machine.id)}' failed: its OS disk '${lastName(diskId)}' is not bootable: ${root.reason}.`,
  );
}

export const rootOf = async (kernel: Kernel, machine: Resource): Promise<Filesystem> =>
  (await diskOf(kernel, machine)).root;

/** Starts the machine in the one way that it can be started, or says why it cannot. */
export async function boot(kernel: Kernel, machine: Resource): Promise<void> {
  requireGroup(kernel, machine.id);
  const image = imageOf(kernel, machine);
  if (image) await kernel.machines.start(machine.id, image, text(machine.hidden, 'customData'));
  else await kernel.machines.startFromDisk(machine.id, (await diskOf(kernel, machine)).image);
}

export function definePower(kernel: Kernel): void {
  const { store, operations, machines } = kernel;
  const down = (name: string, power: string): void =>
    operations.define(name, {
      async run(_, target) {
        await machines.stop(target);
        return () => void store.change(target, {}, { power });
      },
    });
  down('powerOff machine', 'stopped');
  down('deallocate machine', 'deallocated');
  const up = (name: string, stopFirst: boolean): void =>
    operations.define(name, {
      async run(_, target) {
        if (stopFirst) await machines.stop(target);
        await boot(kernel, existing(kernel, target, machineType));
        return () => void store.change(target, { provisioningState: 'Succeeded' }, { power: 'running', failure: null });
      },
      failed: (_, target, { code, message }) =>
        void store.change(target, {}, { power: 'stopped', failure: { code, message } }),
    });
  up('start machine', false);
  up('restart machine', true);
  operations.define('run command', {
    async run({ script }, target) {
      const machine = existing(kernel, target, machineType);
      const commands = parseScript(script as string[]);
      checkConnections(commands, (host, port) => passage(kernel, machine, host, port));
      const { stdout, stderr } = await runScript(await rootOf(kernel, machine), commands);
      const stream = (name: string, message: string): Json => ({
        code: `ComponentStatus/${name}/succeeded`,
        level: 'Info',
        displayStatus: 'Provisioning succeeded',
        message,
      });
      return () => ({ value: [stream('StdOut', stdout), stream('StdErr', stderr)] });
    },
  });
}

export function powerActions(kernel: Kernel): Record<string, Handler> {
  const { operations } = kernel;
  const of = (path: string): Resource => existing(kernel, path.slice(0, path.lastIndexOf('/')), machineType);
  const simple =
    (kind: string): Handler =>
    (request) => {
      const machine = of(request.target.path);
      if (provisioning(machine) === 'Deleting')
        throw conflict('OperationNotAllowed', `The VM '${lastName(machine.id)}' is being deleted.`);
      return operations.accept(request, kind, machine.id, {}, { status: 202 });
    };
  return {
    start: simple('start machine'),
    restart: simple('restart machine'),
    poweroff: simple('powerOff machine'),
    deallocate: simple('deallocate machine'),
    runcommand(request) {
      const machine = of(request.target.path);
      const { commandId, script, parameters } = parse(commandBody, request.body);
      if (commandId !== 'RunShellScript')
        throw badRequest(
          'InvalidParameter',
          `The value '${commandId}' of parameter 'commandId' is not supported; 'RunShellScript' is.`,
        );
      if (text(machine.hidden, 'power') !== 'running') {
        throw conflict(
          'OperationNotAllowed',
          `The operation requires the VM '${lastName(machine.id)}' to be running (or set to run).`,
        );
      }
      requireDisk(kernel, machine);
      if (parameters.length) throw notSimulated('Run command with parameters is not simulated.');
      checkConnections(parseScript(script), (host, port) => passage(kernel, machine, host, port));
      return operations.accept(request, 'run command', machine.id, { script }, { status: 202 });
    },
  };
}

/** The instance view: provisioning and power, and why the last start failed. */
export function instanceView(machine: Resource): Json {
  const state = provisioning(machine).toLowerCase();
  const power = text(machine.hidden, 'power') ?? 'stopped';
  const failure = isJson(machine.hidden.failure) ? machine.hidden.failure : undefined;
  const code = failure ? `ProvisioningState/failed/${String(failure.code)}` : `ProvisioningState/${state}`;
  return {
    computerName: text(part(part(machine.body, 'properties'), 'osProfile'), 'computerName'),
    statuses: [
      {
        code,
        level: failure ? 'Error' : 'Info',
        displayStatus: `Provisioning ${failure ? 'failed' : state}`,
        message: failure?.message,
      },
      { code: `PowerState/${power}`, level: 'Info', displayStatus: `VM ${power}` },
    ],
  };
}
