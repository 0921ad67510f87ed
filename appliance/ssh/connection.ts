// A connection to one machine by the system's OpenSSH client: the host key is pinned, nobody's configuration is read, nothing
// is forwarded, and whoever asks for the machine's password or key gets none other than the one that was given. One login
// serves all commands (ControlMaster). Credentials lie in a folder of mode 0700 while it lasts.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP, type LookupFunction } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../log.ts';
import { guardedLookup, isForbiddenAddress } from '../net/guard.ts';
import { Problem } from '../problem.ts';
import { type Place, sshProblem } from './failures.ts';

/** As whom, and with what: exactly one of key and password. */
export interface Credential {
  user: string;
  privateKey?: string | undefined;
  password?: string | undefined;
}

export interface Machine extends Place {
  /** Lines of `ssh_host_*_key.pub` without their comments. */
  hostKeys: readonly string[];
}

/** The end of a remote command, with what it printed (the last 64 kB). */
export interface RemoteRan {
  exit: number;
  output: string;
  errors: string;
}

const alias = 'source';
const connectSeconds = 15;
/** ssh's own exit code: there was no connection, or no command at its other end. */
const noCommand = 255;
const kept = 64 << 10;

export class SshConnection {
  readonly place: Place;
  readonly #folder: string;
  readonly #options: readonly string[];
  readonly #environment: Record<string, string>;
  readonly #signal: AbortSignal | undefined;

  private constructor(
    machine: Machine,
    address: string,
    credential: Credential,
    { folder, signal }: { folder: string; signal?: AbortSignal | undefined },
  ) {
    this.place = { host: machine.host, port: machine.port };
    this.#folder = folder;
    this.#signal = signal;
    const secret = (name: string, text: string, mode: number): string => {
      const path = join(folder, name);
      writeFileSync(path, text, { mode });
      return path;
    };
    const known = secret('known_hosts', machine.hostKeys.map((key) => `${alias} ${key}\n`).join(''), 0o600);
    this.#environment = { PATH: process.env['PATH'] ?? '', HOME: folder, LC_ALL: 'C' };
    const { privateKey, password, user } = credential;
    const login =
      privateKey === undefined
        ? [
            'PreferredAuthentications=password,keyboard-interactive',
            'NumberOfPasswordPrompts=1',
            'PubkeyAuthentication=no',
          ]
        : [
            'PreferredAuthentications=publickey',
            'BatchMode=yes',
            `IdentityFile=${secret('key', `${privateKey.trim()}\n`, 0o600)}`,
          ];
    if (password !== undefined) {
      // ssh asks a program for it; it is told by the environment, which nobody else reads, and not by an argument.
      this.#environment['LANDFALL_SSH_PASSWORD'] = password;
      this.#environment['SSH_ASKPASS'] = secret(
        'askpass',
        '#!/bin/sh\nprintf "%s\\n" "$LANDFALL_SSH_PASSWORD"\n',
        0o700,
      );
      this.#environment['SSH_ASKPASS_REQUIRE'] = 'force';
      this.#environment['DISPLAY'] = ':';
    }
    const options = [
      ...login,
      ...[
        'StrictHostKeyChecking=yes',
        `UserKnownHostsFile=${known}`,
        'GlobalKnownHostsFile=none',
        `HostKeyAlias=${alias}`,
      ],
      ...['UpdateHostKeys=no', 'CheckHostIP=no', 'VerifyHostKeyDNS=no', 'IdentitiesOnly=yes', 'IdentityAgent=none'],
      ...['ForwardAgent=no', 'ForwardX11=no', 'ClearAllForwardings=yes', 'PermitLocalCommand=no', 'RequestTTY=no'],
      ...[`ConnectTimeout=${connectSeconds}`, 'ServerAliveInterval=15', 'ServerAliveCountMax=4', 'LogLevel=ERROR'],
      ...['ControlMaster=auto', 'ControlPersist=60', `ControlPath=${join(folder, 'c')}`],
    ];
    const flags = options.flatMap((option) => ['-o', option]);
    this.#options = ['-F', 'none', ...flags, '-p', String(machine.port), '-l', user, '--', address];
  }

  /** Logs in. `within`: the folder in which its own is made. Throws a Problem that says what stood against it. */
  static async open(
    machine: Machine,
    credential: Credential,
    { within, signal, lookup = guardedLookup() }: { within: string; signal?: AbortSignal; lookup?: LookupFunction },
  ): Promise<SshConnection> {
    const address = await addressOf(machine, lookup);
    const folder = mkdtempSync(join(within, 'ssh-'));
    const connection = new SshConnection(machine, address, credential, { folder, signal });
    try {
      await connection.run('true');
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /**
   * Runs a command line in the login shell, with `input` as its standard input; keep it to words that every shell takes as
   * they are. Throws a Problem if the connection is gone.
   */
  async run(command: string, input?: string | Readable): Promise<RemoteRan> {
    const ran = await this.#ssh([...this.#options, command], input);
    if (ran.exit === noCommand) throw sshProblem(this.place, ran.errors);
    return ran;
  }

  /** Logs out, and forgets the credential. */
  async close(): Promise<void> {
    const [address = ''] = this.#options.slice(-1);
    const argv = ['-F', 'none', '-o', `ControlPath=${join(this.#folder, 'c')}`, '-O', 'exit', address];
    // Also where what was asked for has been given up.
    await this.#ssh(argv, undefined, AbortSignal.timeout(5000)).catch(() => undefined);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ssh(argv: readonly string[], input?: string | Readable, signal = this.#signal): Promise<RemoteRan> {
    const child = spawn('ssh', argv, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: this.#environment,
      ...(signal && { signal }),
    });
    const ended = endOf(child);
    // It is waited for below, once the input is gone.
    ended.catch(() => undefined);
    if (typeof input === 'string' || input === undefined) child.stdin.on('error', () => undefined).end(input ?? '');
    // What the other end did not take, it says itself.
    else await pipeline(input, child.stdin).catch(() => undefined);
    return ended;
  }
}

/** The process that keeps the connection inherits the pipes: what counts is the end of the command's own. */
function endOf(child: ChildProcess): Promise<RemoteRan> {
  let output = '';
  let errors = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-kept);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-kept);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      const suggestion = 'Install the OpenSSH client (openssh-client) on the target appliance, then retry.';
      reject(error.code === 'ENOENT' ? new Problem('sshMissing', 'There is no program ssh here.', suggestion) : error);
    });
    child.on('exit', (code) => {
      const done = (): void => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ exit: code ?? noCommand, output, errors });
      };
      child.on('close', done);
      setTimeout(done, 200);
    });
  });
}

/** Where the name leads, looked up once: ssh connects to what was judged. */
async function addressOf({ host }: Machine, lookup: LookupFunction): Promise<string> {
  const bare = host.replace(/^\[|\]$/g, '');
  if (isForbiddenAddress(bare))
    throw new Problem(
      'sshUnresolved',
      `${host} is never contacted.`,
      'Name the machine’s own address in the inventory.',
    );
  if (isIP(bare) !== 0) return bare;
  return new Promise((resolve, reject) => {
    lookup(bare, { all: false }, (error, address) => {
      if (!error && typeof address === 'string') return resolve(address);
      const why = error ? messageOf(error) : 'no address';
      const suggestion =
        'Check the name in the inventory and the resolver of the target appliance; or give an address.';
      reject(new Problem('sshUnresolved', `The name ${host} leads nowhere: ${why}`, suggestion));
    });
  });
}
