// Run command on a Linux target: https://learn.microsoft.com/azure/virtual-machines/linux/run-command
import { terminal } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import type { Clients } from './clients.ts';
import { finish } from './longOperations.ts';

/** Runs the lines as one script and returns what it wrote to stdout. */
export async function runScript(
  clients: Clients,
  { subscriptionId, resourceGroup }: Environment,
  name: string,
  script: string[],
): Promise<string> {
  const { virtualMachines } = clients.compute(subscriptionId);
  const { value = [] } = await finish(`running a command on ${name}`, () =>
    virtualMachines.runCommand(
      resourceGroup,
      name,
      { commandId: 'RunShellScript', script },
      { updateIntervalInMs: 1000 },
    ),
  );
  const failed = value.find(({ code }) => code?.endsWith('/failed'));
  if (failed) {
    throw terminal(
      'checkFailed',
      `The command on "${name}" failed: ${failed.message ?? failed.displayStatus ?? ''}`,
      'Look at the machine’s boot diagnostics and its agent, then retry.',
    );
  }
  const stdout = value.find(({ code }) => code?.startsWith('ComponentStatus/StdOut'));
  if (stdout) return stdout.message ?? '';
  // Linux agents answer one status whose message holds both streams: "Enable succeeded: \n[stdout]\n…\n[stderr]\n…".
  const message = value[0]?.message ?? '';
  return /\[stdout\]\n?(.*?)\n?\[stderr\]/s.exec(message)?.[1] ?? message;
}
