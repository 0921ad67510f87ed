// Run command on a machine that is a disk: only commands whose answer can be read out of the disk, and connections whose
// fate the rules of its network decide. Never a shell.
import { notSimulated } from '../http/errors.ts';
import { type Filesystem, isPlainPath } from './filesystem.ts';

type Command =
  | { readonly name: 'cat' | 'sha256sum' | 'ls' | 'hostname'; readonly path: string }
  | { readonly name: 'connect'; readonly host: string; readonly port: number; readonly label: string };
type FileCommand = Extract<Command, { path: string }>;

// bash opens a TCP connection by redirecting from such a path, and timeout ends with 124 when nothing has answered:
// https://www.gnu.org/software/bash/manual/html_node/Redirections.html
const connecting =
  /^LC_ALL=C timeout \d+ bash -c '<\/dev\/tcp\/(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,5})' 2>&1; echo "([a-z0-9 ]+) \$\?"$/;
const unanswered = 124;

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  /** Of the last command, as a shell ends. */
  readonly exitCode: number;
}

/** Reads a script, or refuses the first line that is not simulated. */
export function parseScript(lines: readonly string[]): Command[] {
  const commands = lines
    .flatMap((line) => line.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'))
    .map((line): Command => {
      if (line === 'hostname') return { name: 'hostname', path: '/etc/hostname' };
      const [connects, host = '', port, label = ''] = connecting.exec(line) ?? [];
      if (connects) return { name: 'connect', host, port: Number(port), label };
      const [, name, path] = /^(cat|sha256sum|ls) (\S+)$/.exec(line) ?? [];
      if (!name || !path || !isPlainPath(path)) {
        throw notSimulated(
          `'${line.slice(0, 100)}' is not simulated. A script may hold lines of the form 'cat <path>', 'sha256sum <path>', ` +
            "'ls <path>' and 'hostname', with absolute paths of letters, digits and . _ / + @ : -, and bash connecting to /dev/tcp under timeout",
        );
      }
      return { name: name as FileCommand['name'], path };
    });
  if (commands.length === 0) throw notSimulated('An empty script is not simulated.');
  return commands;
}

/** Refuses a script with a connection whose fate no rule decides; `drops` throws for one. */
export function checkConnections(commands: readonly Command[], drops: (host: string, port: number) => unknown): void {
  for (const command of commands) if (command.name === 'connect') drops(command.host, command.port);
}

/** Answers the commands, one after the other, going on after a failure as a shell does. A connection gets no answer. */
export async function runScript(filesystem: Filesystem, commands: readonly Command[]): Promise<Output> {
  let stdout = '';
  let stderr = '';
  let exitCode = 0;
  for (const command of commands) {
    if (command.name === 'connect') {
      stdout += `${command.label} ${unanswered}\n`;
      // The line ends with an echo.
      exitCode = 0;
      continue;
    }
    const { name, path } = command;
    const found = await filesystem.find(path);
    // https://www.gnu.org/software/coreutils/manual/html_node/Exit-status.html: ls says 2 of what it cannot find.
    exitCode = found === undefined ? (name === 'ls' ? 2 : 1) : name !== 'ls' && found.kind === 'directory' ? 1 : 0;
    if (!found) stderr += `${name}: ${path}: No such file or directory\n`;
    else if (name === 'ls') {
      const names = found.kind === 'directory' ? await filesystem.names(found.path) : [path];
      stdout += names.map((one) => `${one}\n`).join('');
    } else if (found.kind === 'directory') stderr += `${name}: ${path}: Is a directory\n`;
    else if (name === 'sha256sum') stdout += `${await filesystem.sha256(found.path)}  ${path}\n`;
    else stdout += (await filesystem.read(found.path)).toString('utf8');
  }
  return { stdout, stderr, exitCode };
}
