// One machine as the hypervisor sees it: on or off, its NIC in or out, an agent on it or not. What was wanted last is
// kept in `state.json`, so that a restarted laboratory comes back as it was.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InstalledAppliance } from './appliance.ts';
import { type LabMachine, machineDirOf } from './description.ts';
import { cutPower, endGracefully, type Processes } from './processes.ts';

const sourceProgram = join(import.meta.dirname, 'source.ts');
const startWithinMs = 15_000;

const State = z.strictObject({ power: z.enum(['on', 'off']), nicConnected: z.boolean() });

export class Machine {
  readonly description: LabMachine;
  readonly agent: InstalledAppliance;
  readonly #labDir: string;
  readonly #folder: string;
  readonly #processes: Processes;
  #state: z.infer<typeof State>;
  #source: ChildProcess | undefined;
  #work: Promise<unknown> = Promise.resolve();

  constructor(labDir: string, description: LabMachine, applianceProgram: string, processes: Processes) {
    this.description = description;
    this.#labDir = labDir;
    this.#folder = machineDirOf(labDir, description.id);
    this.#processes = processes;
    mkdirSync(this.#folder, { recursive: true });
    this.#state = this.#load();
    const agentFolder = join(this.#folder, 'agent');
    this.agent = new InstalledAppliance(
      `agent of ${description.id}`,
      agentFolder,
      applianceProgram,
      processes,
      description.hostName,
    );
  }

  /** Brings the machine back to the power state in which it was left. */
  async resume(): Promise<void> {
    if (this.#state.power === 'on') await this.powerOn();
  }

  inspect() {
    return {
      power: this.#source ? ('on' as const) : ('off' as const),
      nicConnected: this.#state.nicConnected,
      disks: this.description.disks.map(({ id, path }) => ({ id, sizeBytes: statSync(path).size })),
      agentInstalled: this.agent.installed,
    };
  }

  powerOn(): Promise<void> {
    return this.#inTurn(async () => {
      this.#save({ power: 'on' });
      if (this.#source) return;
      this.#source = await this.#boot();
      this.agent.start();
    });
  }

  /** Asks the guest; what it does about it shows in `inspect`. */
  shutDown(): void {
    const source = this.#source;
    if (!source) return;
    source.kill('SIGTERM');
    if (!this.description.refusesShutdown) void this.agent.stop();
  }

  powerOff(): Promise<void> {
    return this.#inTurn(async () => {
      this.#save({ power: 'off' });
      await this.agent.stop(0);
      if (this.#source?.pid !== undefined) await cutPower(this.#source.pid);
      this.#source = undefined;
    });
  }

  setNic(connected: boolean): Promise<void> {
    return this.#inTurn(async () => {
      this.#save({ nicConnected: connected });
      const source = this.#source;
      if (!source) return;
      const waiting = new AbortController();
      const { signal } = waiting;
      const done = Promise.race([once(source, 'message', { signal }), once(source, 'exit', { signal })]);
      source.send({ nicConnected: connected });
      await done;
      waiting.abort();
    });
  }

  installAgent(bootstrap: string): Promise<void> {
    return this.#inTurn(() => this.agent.install(bootstrap, this.#source !== undefined));
  }

  removeAgent(): Promise<void> {
    return this.#inTurn(() => this.agent.remove());
  }

  /** Ends the machine's processes with the laboratory; the state stays what it was. */
  async end(): Promise<void> {
    await this.#inTurn(async () => {
      await this.agent.stop(3000);
      const source = this.#source;
      this.#source = undefined;
      if (source) await endGracefully(source, 2000);
    });
  }

  async #boot(): Promise<ChildProcess> {
    const log = openSync(join(this.#folder, 'source.log'), 'a', 0o600);
    const nic = this.#state.nicConnected ? [] : ['--nic-disconnected'];
    const source = spawn(process.execPath, [sourceProgram, this.#labDir, this.description.id, ...nic], {
      cwd: this.#folder,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#processes.record(`machine ${this.description.id}`, source);
    const booted = new AbortController();
    const timer = setTimeout(() => booted.abort(), startWithinMs);
    try {
      const [outcome] = await Promise.race([
        once(source, 'message', { signal: booted.signal }),
        once(source, 'exit', { signal: booted.signal }),
      ]);
      if (outcome !== 'ready') throw new Error(`The machine ${this.description.id} did not start; see its source.log`);
    } catch (error) {
      if (source.pid !== undefined && source.exitCode === null) await cutPower(source.pid);
      throw error;
    } finally {
      clearTimeout(timer);
      booted.abort();
    }
    source.once('exit', () => {
      if (this.#source !== source) return;
      // It went down by itself: because it was asked to, or because it broke.
      this.#source = undefined;
      this.#save({ power: 'off' });
      void this.agent.stop(0);
    });
    return source;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#work.then(work);
    this.#work = mine.catch(() => undefined);
    return mine;
  }

  #load(): z.infer<typeof State> {
    try {
      return State.parse(JSON.parse(readFileSync(join(this.#folder, 'state.json'), 'utf8')));
    } catch {
      return { power: 'on', nicConnected: true };
    }
  }

  #save(change: Partial<z.infer<typeof State>>): void {
    this.#state = { ...this.#state, ...change };
    const file = join(this.#folder, 'state.json');
    writeFileSync(`${file}.new`, `${JSON.stringify(this.#state)}\n`);
    renameSync(`${file}.new`, file);
  }
}
