// Run command on a machine that is a disk: only commands whose answer can be read out of the disk, never a shell.
import { notSimulated } from '../http/errors.ts';
import { type Filesystem, isPlainPath } from './filesystem.ts';

interface Command {
  readonly name: 'cat' | 'sha256sum' | 'ls' | 'hostname';
  readonly path: string;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Reads a script, or refuses the first line that is not simulated. */
export function parseScript(lines: readonly string[]): Command[] {
  const commands = lines
    .flatMap((line) => line.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'))
    .map((line): Command => {
      if (line === 'hostname') return { name: 'hostname', path: '/etc/hostname' };
      const [, name, path] = /^(cat|sha256sum|ls) (\S+)$/.exec(line) ?? [];
      if (!name || !path || !isPlainPath(path)) {
        throw notSimulated(
          `'${line.slice(0, 100)}' is not simulated. A script may hold lines of the form 'cat <path>', 'sha256sum <path>', ` +
            "'ls <path>' and 'hostname', with absolute paths of letters, digits and . _ / + @ : -",
        );
      }
      return { name: name as Command['name'], path };
    });
  if (commands.length === 0) throw notSimulated('An empty script is not simulated.');
  return commands;
}

/** Answers the commands from the filesystem, one after the other, going on after a failure as a shell does. */
export async function runScript(filesystem: Filesystem, commands: readonly Command[]): Promise<Output> {
  let stdout = '';
  let stderr = '';
  for (const { name, path } of commands) {
    const found = await filesystem.find(path);
    if (!found) stderr += `${name}: ${path}: No such file or directory\n`;
    else if (name === 'ls') {
      const names = found.kind === 'directory' ? await filesystem.names(found.path) : [path];
      stdout += names.map((one) => `${one}\n`).join('');
    } else if (found.kind === 'directory') stderr += `${name}: ${path}: Is a directory\n`;
    else if (name === 'sha256sum') stdout += `${await filesystem.sha256(found.path)}  ${path}\n`;
    else stdout += (await filesystem.read(found.path)).toString('utf8');
  }
  return { stdout, stderr };
}
