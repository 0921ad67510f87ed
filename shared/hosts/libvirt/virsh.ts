// libvirt's own client as a process: `virsh` knows every transport and credential of libvirt's, and its output in the
// locale C is what its manual shows. https://www.libvirt.org/manpages/virsh.html
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { type MigrationError, terminal, transient } from '../../errors.ts';

const run = promisify(execFile);
const withinMs = 60_000;

/** Runs one command of virsh and returns what it prints. Arguments are never read by a shell. */
export type Virsh = (command: string, ...args: string[]) => Promise<string>;

/** What libvirt and its transports (SSH, Kerberos) read of the environment; the app's own settings are none of their business. */
const theirs = /^(PATH|HOME|USER|LOGNAME|TMPDIR|SSH_AUTH_SOCK|XDG_\w+|LIBVIRT_\w+|KRB5\w*)$/;

/** virsh on one connection. */
export function virshAt(connect: string): Virsh {
  return async (command, ...args) => {
    try {
      const { stdout } = await run('virsh', ['--quiet', '--connect', connect, command, ...args], {
        timeout: withinMs,
        maxBuffer: 2 ** 20,
        env: { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => theirs.test(name))), LC_ALL: 'C' },
      });
      return stdout;
    } catch (error) {
      throw failureOf(command, error);
    }
  };
}

const Failed = z.looseObject({ code: z.unknown(), killed: z.boolean().default(false), stderr: z.string().default('') });

function failureOf(command: string, error: unknown): MigrationError {
  const { code, killed, stderr } = Failed.parse(error);
  const said = stderr
    .replaceAll(/^error: /gm, '')
    .trim()
    .slice(0, 500);
  if (code === 'ENOENT')
    return terminal(
      'sourceUnreachable',
      'The program virsh is not there.',
      'Install libvirt’s client where Landfall runs, then retry.',
    );
  if (killed || /failed to connect|cannot recv|end of file|timed out|connection reset/i.test(said))
    return transient(
      'sourceUnreachable',
      `libvirt did not do what it was asked (${command}): ${killed ? 'no answer within a minute' : said}`,
      'Check that libvirt’s daemon is up and reachable from here; it is tried again.',
    );
  return terminal(
    'sourceUnreachable',
    `libvirt refused what it was asked (${command}): ${said}`,
    'Check the inventory against libvirt (virsh list --all).',
  );
}
