// The local Azure with the app in it, as a process: started, stopped, killed and started again on the same data.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { z } from 'zod';
import { nodeFlags } from '../../local/nodeFlags.ts';
import { endProcess, lastLines, logOf, startProgram, startTimeOf } from './processes.ts';

const Ready = z.object({
  pid: z.int(),
  caFile: z.string(),
  loadErrors: z.array(z.string()),
  endpoints: z.looseObject({
    'identity.endpoint': z.string(),
    'identity.issuer': z.string(),
    'arm.endpoint': z.string(),
    'storage.endpoint': z.string(),
    'host.endpoint': z.string(),
  }),
});
type Ready = z.infer<typeof Ready>;

const readyWithinMs = 60_000;
const stopWithinMs = 20_000;

export class LocalCloud {
  readonly #folder: string;
  readonly #env: Record<string, string>;
  readonly #resources: string | undefined;
  #child: ChildProcess | undefined;
  #ready: Ready | undefined;

  /** `folder` gets the state in `cloud/` and the log in `logs/cloud.log`; `resources` is a file of what exists there. */
  constructor(folder: string, env: Record<string, string> = {}, resources?: string) {
    this.#folder = folder;
    this.#env = env;
    this.#resources = resources;
  }

  get endpoints(): Ready['endpoints'] {
    if (!this.#ready) throw new Error('The local Azure does not run');
    return this.#ready.endpoints;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get caFile(): string {
    return join(this.#folder, 'cloud', 'pki', 'ca.crt');
  }

  get logFile(): string {
    return logOf(this.#folder, 'cloud');
  }

  /** Returns when every part answers, and makes this process trust its certificate authority. */
  async start(): Promise<void> {
    const readyFile = join(this.#folder, 'cloud', 'ready.json');
    rmSync(readyFile, { force: true });
    const resources = this.#resources === undefined ? [] : ['--resources', this.#resources];
    const args = [...nodeFlags, 'local/main.ts', '--data', join(this.#folder, 'cloud'), ...resources];
    const child = startProgram(this.#folder, { name: 'cloud', args, env: this.#env });
    this.#child = child;
    for (const until = Date.now() + readyWithinMs; !existsSync(readyFile); await sleep(50)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`The local Azure did not start:\n${lastLines(this.#folder, 'cloud')}`);
      if (Date.now() > until) throw new Error(`The local Azure is not ready after ${readyWithinMs / 1000} s`);
    }
    this.#ready = Ready.parse(JSON.parse(readFileSync(readyFile, 'utf8')));
    trust(readFileSync(this.#ready.caFile, 'utf8'));
    // A wave that waits for a function that is not there would say nothing.
    const { loadErrors } = this.#ready;
    if (loadErrors.length > 0) throw new Error(`Not all of the app runs:\n${loadErrors.join('\n')}`);
  }

  /** Stops it as an operator would; its machines stop with it. */
  async stop(): Promise<void> {
    const pid = this.#child?.pid;
    const startTime = pid === undefined ? undefined : startTimeOf(pid);
    this.#child = undefined;
    if (pid !== undefined && startTime !== undefined) await endProcess({ pid, startTime }, stopWithinMs);
  }

  /** Ends it as a power cut would. Its machines run on, as they would in Azure. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    this.#child = undefined;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Aborts, with the end of its log as the reason, when it ends without being asked to. */
  get gone(): AbortSignal {
    const controller = new AbortController();
    const child = this.#child;
    child?.once('exit', () => {
      if (this.#child !== child) return;
      controller.abort(new Error(`The local Azure has ended:\n${lastLines(this.#folder, 'cloud')}`));
    });
    return controller.signal;
  }

  /** Lets the driver end while this runs on. */
  leave(): void {
    this.#child?.unref();
  }
}

function trust(ca: string): void {
  const trusted = getCACertificates('default');
  if (!trusted.includes(ca)) setDefaultCACertificates([...trusted, ca]);
}
