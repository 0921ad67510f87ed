// An appliance as the laboratory installs it: a bootstrap file that only its owner can read, and the appliance's own
// program, kept running as systemd does with Restart=always.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { nodeFlags } from '../../appliance/nodeFlags.ts';
import { endGracefully, type Processes } from './processes.ts';

const restartAfterMs = 1000;
/** EX_CONFIG of sysexits.h: what systemd’s RestartPreventExitStatus=78 would leave alone. */
const pointlessToRestart = 78;
// The appliance takes up to eight seconds to say goodbye.
const graceMs = 9000;

/** What an appliance inherits of our environment: no secret of whoever started the laboratory. */
const inherited = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  'NODE_EXTRA_CA_CERTS',
  // How memory is allocated (mallopt(3)).
  'MALLOC_ARENA_MAX',
  'MALLOC_MMAP_THRESHOLD_',
  'MALLOC_TRIM_THRESHOLD_',
  // Where code that was compiled once is kept.
  'NODE_COMPILE_CACHE',
];

export class InstalledAppliance {
  readonly #name: string;
  readonly #folder: string;
  readonly #program: string;
  readonly #processes: Processes;
  readonly #hostName: string;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #wanted = false;

  /** `hostName` is what it shall take for the name of the computer that it runs on. */
  constructor(name: string, folder: string, program: string, processes: Processes, hostName: string) {
    this.#name = name;
    this.#folder = folder;
    this.#program = program;
    this.#processes = processes;
    this.#hostName = hostName;
  }

  get installed(): boolean {
    return existsSync(this.#bootstrapFile);
  }

  /** Installs; with a bootstrap other than before, anew: an appliance enrols once, so its old state goes. */
  async install(bootstrap: string, run: boolean): Promise<void> {
    if (!this.installed || readFileSync(this.#bootstrapFile, 'utf8') !== bootstrap) {
      await this.remove();
      mkdirSync(join(this.#folder, 'state'), { recursive: true, mode: 0o700 });
      writeFileSync(`${this.#bootstrapFile}.new`, bootstrap, { mode: 0o600 });
      chmodSync(`${this.#bootstrapFile}.new`, 0o600);
      renameSync(`${this.#bootstrapFile}.new`, this.#bootstrapFile);
    }
    if (run) this.start();
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs it from now on, if it is installed. */
  start(): void {
    if (!this.installed) return;
    this.#wanted = true;
    if (!this.#child && !this.#restart) this.#spawn();
  }

  async stop(grace = graceMs): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#restart);
    this.#restart = undefined;
    if (this.#child) await endGracefully(this.#child, grace);
  }

  get #bootstrapFile(): string {
    return join(this.#folder, 'bootstrap.json');
  }

  #spawn(): void {
    const environment = Object.fromEntries(
      inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    );
    const log = openSync(join(this.#folder, 'appliance.log'), 'a', 0o600);
    const child = spawn(process.execPath, [...nodeFlags, this.#program], {
      env: {
        ...environment,
        LANDFALL_HOST_NAME: this.#hostName,
        LANDFALL_BOOTSTRAP: this.#bootstrapFile,
        LANDFALL_STATE_DIR: join(this.#folder, 'state'),
      },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    this.#processes.record(this.#name, child);
    const ended = (code: number | null) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (!this.#wanted || code === pointlessToRestart) return;
      this.#restart = setTimeout(() => {
        this.#restart = undefined;
        if (this.#wanted) this.#spawn();
      }, restartAfterMs);
    };
    child.once('exit', ended);
    child.once('error', () => ended(null));
  }
}
