// Runs a command of the source's: by itself, or where the agent is not root, through the socket that leads to root.
import { askRoot } from './rootCommands.ts';
import { type Ran, spawnCommand } from './spawnCommand.ts';

/** `environment` is added to what the command sees of the process that runs it. */
export function run(
  argv: readonly string[],
  timeoutMs: number,
  signal?: AbortSignal,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const socket = process.env['LANDFALL_COMMANDS_SOCKET'];
  if (socket === undefined) return spawnCommand(argv, timeoutMs, signal, environment);
  return askRoot(socket, argv, timeoutMs, signal, environment);
}
