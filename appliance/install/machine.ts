// One machine on which an agent comes or goes: looked at first, then worked on as root, by scripts that say what they found.
import { createReadStream } from 'node:fs';
import { Problem } from '../problem.ts';
import { type Credential, type Machine, SshConnection } from '../ssh/connection.ts';
import { mayPass } from '../ssh/failures.ts';
import { Retryable, withRetry } from '../net/retry.ts';
import type { Layout } from './layout.ts';
import { lookScript } from './scripts.ts';

/** What a script has printed as `name=value`. */
export class Facts {
  readonly #lines: readonly (readonly [string, string])[];

  constructor(output: string) {
    this.#lines = output.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()] as const] : [];
    });
  }

  one(name: string): string | undefined {
    return this.all(name)[0];
  }

  all(name: string): string[] {
    return this.#lines.flatMap(([each, value]) => (each === name && value !== '' ? [value] : []));
  }
}

export interface Reaching {
  machine: Machine;
  credential: Credential;
  layout: Layout;
  /** The folder for what the connection needs. */
  within: string;
  signal?: AbortSignal | undefined;
  /** Milliseconds before the first of two more tries where a connection fails. */
  pauseMs?: number;
}

/** What to do about a step that failed on the machine, by its code. */
const suggestions: Readonly<Record<string, string>> = {
  diskFull: 'Make room in /opt, /etc and /var/lib of the machine, then retry.',
  writeRefused: 'Look whether /opt, /etc/systemd/system and /var/lib can be written there, then retry.',
  userRefused: 'Look why the user landfall-agent cannot be made there (useradd), then retry.',
  checksumDiffers: 'What arrived is not what was sent; retry, and look at disk and network of the machine.',
  agentNotStarted:
    'Look at `systemctl status landfall-agent` and `journalctl -u landfall-agent` on the machine, then retry.',
};

export class Reached {
  readonly facts: Facts;
  readonly name: string;
  readonly #connection: SshConnection;
  readonly #prefix: string;

  constructor(connection: SshConnection, facts: Facts) {
    this.#connection = connection;
    this.facts = facts;
    this.name = connection.place.host;
    this.#prefix = facts.one('root') === 'sudo' ? 'sudo -n ' : '';
  }

  /** Runs a script as root. Throws a Problem with its own words if it says that it failed, or ends without a word. */
  async script(text: string): Promise<Facts> {
    const { exit, output, errors } = await this.#connection.run(`${this.#prefix}sh -s`, text);
    const facts = new Facts(output);
    const [, code = '', why = ''] = /^(\w+): (.*)$/.exec(facts.one('failed') ?? '') ?? [];
    if (code !== '') throw this.problem(code, why, suggestions[code] ?? 'Look at the machine, then retry.');
    if (exit !== 0)
      throw this.problem(
        'agentNotStarted',
        `a script ended with ${exit}: ${errors.trim()}`,
        'Look at the machine, then retry.',
      );
    return facts;
  }

  /** Sends a file to `path` with `.part` behind it. */
  async send(local: string, path: string): Promise<void> {
    const { exit, errors } = await this.#connection.run(
      `${this.#prefix}dd of=${path}.part bs=65536`,
      createReadStream(local),
    );
    if (exit === 0) return;
    const code = /no space|quota/i.test(errors) ? 'diskFull' : 'writeRefused';
    throw this.problem(code, `${path}: ${errors.trim().slice(-400)}`, suggestions[code] ?? '');
  }

  problem(code: string, why: string, suggestion: string): Problem {
    return new Problem(code, `${headlines[code] ?? 'It failed'} on ${this.name}: ${why.trim()}`, suggestion);
  }
}

const headlines: Readonly<Record<string, string>> = {
  diskFull: 'There is no room',
  writeRefused: 'Files cannot be written',
  userRefused: 'The agent’s user could not be made',
  checksumDiffers: 'A file arrived damaged',
  agentNotStarted: 'The agent does not run',
  agentNotEnrolled: 'The agent runs, but has not enrolled',
  agentForeign: 'Another agent is in place',
  agentStillThere: 'Something of the agent is left',
  nodeMissing: 'No Node runs the agent',
  noSudo: 'The login is not root and cannot become root',
  noSystemd: 'There is no systemd',
};

/** Logs in, looks, and lets `work` do its work; a connection that fails is tried three times. */
export async function onMachine<T>(to: Reaching, work: (reached: Reached) => Promise<T>): Promise<T> {
  const { machine, credential, layout, within, signal, pauseMs = 3000 } = to;
  let tries = 0;
  let last: unknown;
  const once = async (): Promise<T> => {
    tries++;
    try {
      const connection = await SshConnection.open(machine, credential, { within, ...(signal && { signal }) });
      try {
        const { output } = await connection.run('sh -s', lookScript(layout));
        return await work(asRoot(new Reached(connection, new Facts(output))));
      } finally {
        await connection.close();
      }
    } catch (error) {
      last = error;
      if (error instanceof Problem && mayPass.has(error.code) && tries < 3) throw new Retryable(error.message);
      throw error;
    }
  };
  return withRetry(once, { signal, firstMs: pauseMs, maxMs: 4 * pauseMs }).catch((error: unknown) => {
    throw error instanceof Retryable ? last : error;
  });
}

/** Whoever has logged in is root or can become root without being asked. */
function asRoot(reached: Reached): Reached {
  const { facts } = reached;
  const root = facts.one('root');
  if (root === 'login' || root === 'sudo') return reached;
  const failed = /^(\w+): (.*)$/.exec(facts.one('failed') ?? '');
  if (failed) throw reached.problem(failed[1] ?? '', failed[2] ?? '', suggestions[failed[1] ?? ''] ?? '');
  const why =
    root === 'noSudo'
      ? `it is user ${facts.one('uid')}, and the machine has no sudo`
      : root === 'refused'
        ? `sudo says: ${facts.one('sudo') ?? 'nothing'}`
        : 'its login shell runs no `sh -s`';
  throw reached.problem(
    'noSudo',
    why,
    'Log in as root, or let that user run sudo without a password (NOPASSWD: ALL), then retry.',
  );
}
