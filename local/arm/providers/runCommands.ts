// Managed run commands: a script that is a resource below its machine, with how it ended. It is answered as far as the
// machine's disk can answer it, never by a shell; see machines/runCommand.ts.
// https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/create-or-update
import { z } from 'zod';
import type { Handler, Kernel, ResourceType } from '../contract.ts';
import { conflict, notSimulated } from '../http/errors.ts';
import { lastName, parentId } from '../ids.ts';
import { type Json, parse, part, text } from '../json.ts';
import { checkConnections, parseScript, runScript } from '../machines/runCommand.ts';
import { passage } from '../network/passage.ts';
import type { Resource } from '../store.ts';
import { deletable, existing, heading, tracked } from './common.ts';
import { requireDisk, rootOf } from './power.ts';
import { machineType } from './quota.ts';

const commandType = `${machineType}/runCommands`;
/** Azure keeps the last 4 KB of what a script says. */
const kept = 4_096;

const simulated: ReadonlySet<string> = new Set(['script', 'asyncExecution', 'timeoutInSeconds']);
const commandBody = z.looseObject({
  ...tracked,
  properties: z.looseObject({
    source: z.looseObject({ script: z.string().default('') }),
    asyncExecution: z.boolean().default(false),
    timeoutInSeconds: z.number().int().positive().default(5_400),
  }),
});

export function runCommands(kernel: Kernel): ResourceType {
  const { store, operations } = kernel;
  const view = (command: Resource, withInstance: boolean): Json =>
    withInstance
      ? {
          ...command.body,
          properties: { ...part(command.body, 'properties'), instanceView: command.hidden.instanceView },
        }
      : command.body;
  const ended = (target: string, instanceView: Json): void =>
    void store.change(target, { provisioningState: 'Succeeded' }, { instanceView });

  operations.define('run managed command', {
    async run(_, target) {
      const command = existing(kernel, target, commandType);
      const machine = existing(kernel, parentId(target), machineType);
      const commands = parseScript([text(part(part(command.body, 'properties'), 'source'), 'script') ?? '']);
      const startTime = new Date().toISOString();
      const { stdout, stderr, exitCode } = await runScript(await rootOf(kernel, machine), commands);
      const instanceView = {
        executionState: exitCode === 0 ? 'Succeeded' : 'Failed',
        exitCode,
        output: stdout.slice(-kept),
        error: stderr.slice(-kept),
        startTime,
        endTime: new Date().toISOString(),
      };
      return () => ended(target, instanceView);
    },
    failed: (_, target, { message }) =>
      ended(target, { executionState: 'Failed', executionMessage: message, startTime: new Date().toISOString() }),
  });

  const put: Handler = (request) => {
    const machine = existing(kernel, parentId(request.target.path), machineType);
    const body = parse(commandBody, request.body);
    if (store.get(request.target.path))
      throw notSimulated('To put a run command again is not simulated: delete it first, or give it another name.');
    if (text(machine.hidden, 'power') !== 'running')
      throw conflict(
        'OperationNotAllowed',
        `Cannot modify extensions in the VM when the VM is not running (${lastName(machine.id)}).`,
      );
    requireDisk(kernel, machine);
    const { source, ...others } = body.properties;
    const beyond = [...Object.keys(source), ...Object.keys(others)].find((name) => !simulated.has(name));
    if (beyond !== undefined) throw notSimulated(`'${beyond}' of a run command is not simulated.`);
    const commands = parseScript([source.script]);
    checkConnections(commands, (host, port) => passage(kernel, machine, host, port));
    const stored = store.put(
      request.target.path,
      commandType,
      { ...heading(request, commandType, body), properties: { ...body.properties, provisioningState: 'Creating' } },
      { instanceView: { executionState: 'Running', startTime: new Date().toISOString() } },
    );
    return operations.accept(
      request,
      'run managed command',
      stored.id,
      {},
      { status: 201, body: stored.body, headers: 'azure-asyncoperation' },
    );
  };

  const expanded = ({ query }: Parameters<Handler>[0]): boolean =>
    query.get('$expand')?.toLowerCase() === 'instanceview';
  return {
    type: commandType,
    put,
    get: (request) => ({
      status: 200,
      body: view(existing(kernel, request.target.path, commandType), expanded(request)),
    }),
    list: (request) => {
      const machine = existing(kernel, request.target.path.slice(0, request.target.path.lastIndexOf('/')), machineType);
      const found = store.within(machine.id, commandType);
      return { status: 200, body: { value: found.map((one) => view(one, expanded(request))) } };
    },
    delete: deletable(kernel, commandType),
  };
}
