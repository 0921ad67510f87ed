// Scripts on machines by managed run commands: each is a resource below the machine, named after its operation, so a
// repeated call finds what the first one has begun. What succeeded is not run again; what failed is, from its beginning.
// https://learn.microsoft.com/azure/virtual-machines/linux/run-command-managed
import { setTimeout as delay } from 'node:timers/promises';
import type { VirtualMachineRunCommandInstanceView } from '@azure/arm-compute';
import { terminal, transient } from '../errors.ts';
import { hashOf } from '../hash.ts';
import type { Environment } from '../model/environment.ts';
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { ScriptOutcome } from './contract.ts';
import { finish } from './longOperations.ts';
import { ownTags, requireOurs } from './ownership.ts';

export interface ScriptRun {
  /** The same for every try; another one for what is to be run again although it succeeded. */
  id: string;
  lines: readonly string[];
  withinSeconds: number;
}

const lookEveryMs = 1_000;
/** Azure needs a while besides the script's own time to hand it over and to fetch what it said. */
const besidesSeconds = 60;
const ended: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed', 'TimedOut', 'Canceled']);

/** Runs a script on one of our machines unless it has succeeded under this id, and waits for its end. */
export async function runScriptOnce(
  clients: Clients,
  { subscriptionId, resourceGroup }: Environment,
  machine: string,
  { id, lines, withinSeconds }: ScriptRun,
): Promise<ScriptOutcome> {
  const { virtualMachines, virtualMachineRunCommands: commands } = clients.compute(subscriptionId);
  const name = `landfall-${hashOf(id).slice(0, 24)}`;
  const doing = `running a script on ${machine}`;
  const look = async () =>
    (
      await absentAsUndefined(doing, () =>
        commands.getByVirtualMachine(resourceGroup, machine, name, { expand: 'instanceView' }),
      )
    )?.instanceView;

  const { location, tags } = await attempt(doing, () => virtualMachines.get(resourceGroup, machine));
  requireOurs(`The machine "${machine}"`, tags);
  const often = { updateIntervalInMs: 500 };
  const known = await look();
  if (known?.executionState === 'Succeeded') return outcomeOf(machine, known);
  if (ended.has(known?.executionState)) await finish(doing, () => commands.delete(resourceGroup, machine, name, often));
  if (known === undefined || ended.has(known.executionState)) {
    const source = { script: lines.join('\n') };
    const command = { location, tags: ownTags(tags), source, timeoutInSeconds: withinSeconds, asyncExecution: true };
    await finish(doing, () => commands.createOrUpdate(resourceGroup, machine, name, command, often));
  }
  const deadline = Date.now() + (withinSeconds + besidesSeconds) * 1000;
  for (let view = await look(); ; view = await look()) {
    if (view !== undefined && ended.has(view.executionState)) return outcomeOf(machine, view);
    if (Date.now() > deadline)
      throw transient('unavailable', `The script on ${machine} has not ended yet.`, 'It is looked at again.', 10);
    await delay(lookEveryMs);
  }
}

function outcomeOf(machine: string, view: VirtualMachineRunCommandInstanceView): ScriptOutcome {
  const { executionState, executionMessage = '', exitCode, output = '', error = '' } = view;
  if (executionState === 'TimedOut' || executionState === 'Canceled')
    throw terminal(
      'timeout',
      `The script on ${machine} did not end in its time: Azure says ${executionState}.`,
      'Give it more time, or look what it waits for on the machine, then retry.',
      `${executionMessage}\n${output}\n${error}`,
    );
  if (exitCode !== undefined) return { exitCode, output, error };
  if (executionState === 'Succeeded') return { exitCode: 0, output, error };
  throw terminal(
    'azureRejected',
    `The script on ${machine} could not be run: ${executionMessage}`,
    'Look at the machine’s agent and boot diagnostics, then retry.',
  );
}
