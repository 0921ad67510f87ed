// Machines that are processes: those of an image that is registered with a command, and those that a declared hypervisor
// runs from their disks. They are kept running as systemd's Restart=always would. Which processes should run is in SQLite, so that a process outlives this one if it
// must (a crash, an update) and is adopted again by its pid and start time.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { GroupCommit } from '../../sqlite.ts';
import { conflict, notSimulated } from '../http/errors.ts';
import { keyOf, lastName } from '../ids.ts';
import { launch, type MachineImage } from './launch.ts';
import { end, findByEnvironment, identify, isAlive, type ProcessIdentity } from './processes.ts';

export interface MachineState {
  readonly name: string;
  readonly pid: number | undefined;
  readonly state: string;
}

interface Running {
  readonly id: string;
  readonly image: string;
  readonly customData: string | undefined;
  identity: ProcessIdentity | undefined;
  timer: NodeJS.Timeout | undefined;
  since: number;
  backoff: number;
  leaving: boolean;
  spawning: Promise<void>;
}

interface Options {
  readonly commit: GroupCommit;
  readonly folder: string;
  readonly repoRoot: string;
  readonly images: Readonly<Record<string, MachineImage>>;
  readonly hypervisor: MachineImage | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

const shortest = 200;
const longest = 5000;
const grace = 5000;
/** Before the path of a disk where else the id of an image stands. */
const fromDisk = 'disk:';

export class Machines {
  readonly #options: Options;
  readonly #database: DatabaseSync;
  readonly #running = new Map<string, Running>();

  constructor(options: Options) {
    this.#options = options;
    this.#database = options.commit.database;
    this.#database.exec(`CREATE TABLE IF NOT EXISTS machines (
      key TEXT PRIMARY KEY, id TEXT NOT NULL, image TEXT NOT NULL, customData TEXT, pid INTEGER, startTime TEXT
    ) WITHOUT ROWID;`);
  }

  isImage(imageId: string): boolean {
    return this.#image(imageId) !== undefined;
  }

  list(): MachineState[] {
    return [...this.#running.values()].map(({ id, identity }) => {
      const alive = identity !== undefined && isAlive(identity);
      return { name: lastName(id), pid: alive ? identity.pid : undefined, state: alive ? 'running' : 'restarting' };
    });
  }

  /** Starts the process of a machine; does nothing when it runs. Rejects when it cannot be started at all. */
  async start(id: string, image: string, customData: string | undefined): Promise<void> {
    const key = keyOf(id);
    if (this.#running.has(key)) return;
    const namesake = [...this.#running.values()].find((one) => keyOf(lastName(one.id)) === keyOf(lastName(id)));
    if (namesake) throw notSimulated(`A machine of the same name is running: ${namesake.id}.`);
    const running: Running = {
      id,
      image,
      customData,
      identity: undefined,
      timer: undefined,
      since: 0,
      backoff: shortest,
      leaving: false,
      spawning: Promise.resolve(),
    };
    // Before the first await, so that a stop that comes meanwhile finds it.
    this.#running.set(key, running);
    await this.#options.commit.write(() => {
      this.#database
        .prepare('INSERT OR REPLACE INTO machines (key, id, image, customData) VALUES (?, ?, ?, ?)')
        .run(key, id, image, customData ?? null);
    });
    try {
      await this.#spawn(running);
    } catch (thrown) {
      await this.stop(id);
      throw conflict(
        'OSProvisioningClientError',
        `The process of image '${image}' cannot be started: ${String(thrown)}`,
      );
    }
  }

  /** Starts what runs a machine from the file of its OS disk; does nothing where no hypervisor is declared. */
  async startFromDisk(id: string, path: string): Promise<void> {
    if (this.#options.hypervisor) await this.start(id, `${fromDisk}${path}`, undefined);
  }

  /** Ends the process of a machine, if it has one, and forgets it. */
  async stop(id: string): Promise<void> {
    const running = this.#running.get(keyOf(id));
    if (running) await this.#leave(running, true);
    this.#running.delete(keyOf(id));
    await this.#options.commit.write(() => this.#database.prepare('DELETE FROM machines WHERE key = ?').run(keyOf(id)));
  }

  /** Removes what a machine left on disk. */
  forget(id: string): void {
    rmSync(this.#folder(id), { recursive: true, force: true });
    rmSync(this.#customDataPath(id), { force: true });
  }

  /** Takes up the machines of an earlier process: adopts those that still run and starts the others. */
  async resume(): Promise<void> {
    const rows = this.#database.prepare('SELECT * FROM machines').all() as unknown as {
      id: string;
      image: string;
      customData: string | null;
      pid: number | null;
      startTime: string | null;
    }[];
    for (const { id, image, customData, pid, startTime } of rows) {
      const recorded = pid !== null && startTime !== null ? { pid, startTime } : undefined;
      const alive =
        recorded && isAlive(recorded) ? recorded : findByEnvironment(`LANDFALL_STATE_DIR=${this.#folder(id)}`);
      const running: Running = {
        id,
        image,
        customData: customData ?? undefined,
        identity: undefined,
        timer: undefined,
        since: Date.now(),
        backoff: shortest,
        leaving: false,
        spawning: Promise.resolve(),
      };
      this.#running.set(keyOf(id), running);
      if (alive) {
        await this.#record(running, alive);
        this.#watch(running, alive);
      } else await this.#spawn(running).catch(() => this.#retry(running));
    }
  }

  /** Stops supervising. The processes end too, unless they are to be kept for the next process to adopt. */
  async close(keep: boolean): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => this.#leave(running, !keep)));
    this.#running.clear();
  }

  async #leave(running: Running, kill: boolean): Promise<void> {
    running.leaving = true;
    clearTimeout(running.timer);
    await running.spawning.catch(() => undefined);
    if (kill && running.identity) await end(running.identity, grace);
  }

  #spawn(running: Running): Promise<void> {
    running.spawning = this.#launch(running);
    return running.spawning;
  }

  async #launch(running: Running): Promise<void> {
    if (running.leaving) throw new Error('it was stopped meanwhile');
    const image = this.#image(running.image);
    if (!image) throw new Error('no command is registered for this image');
    const { repoRoot, env } = this.#options;
    const folder = this.#folder(running.id);
    const customDataPath = this.#customDataPath(running.id);
    const { id, customData } = running;
    const child = await launch(image, { id, repoRoot, env, folder, customDataPath, customData });
    child.on('error', () => undefined);
    child.unref();
    running.since = Date.now();
    const identity = identify(child.pid ?? 0);
    child.once('exit', () => this.#ended(running, identity));
    if (child.exitCode !== null || child.signalCode !== null || !identity) return;
    await this.#record(running, identity);
  }

  async #record(running: Running, identity: ProcessIdentity): Promise<void> {
    running.identity = identity;
    await this.#options.commit.write(() =>
      this.#database
        .prepare('UPDATE machines SET pid = ?, startTime = ? WHERE key = ?')
        .run(identity.pid, identity.startTime, keyOf(running.id)),
    );
  }

  /** An adopted process is nobody's child here, so its end is found by looking. */
  #watch(running: Running, identity: ProcessIdentity): void {
    running.timer = setTimeout(() => {
      if (isAlive(identity)) this.#watch(running, identity);
      else this.#ended(running, identity);
    }, 200);
  }

  #ended(running: Running, identity: ProcessIdentity | undefined): void {
    if (running.leaving) return;
    this.#options.log(`arm: machine ${lastName(running.id)} (pid ${identity?.pid ?? '?'}) ended; it is started again`);
    if (Date.now() - running.since > 10_000) running.backoff = shortest;
    this.#retry(running);
  }

  #retry(running: Running): void {
    if (running.leaving) return;
    running.timer = setTimeout(() => {
      this.#spawn(running).catch(() => this.#retry(running));
    }, running.backoff);
    running.backoff = Math.min(longest, running.backoff * 2);
  }

  #image(imageId: string): MachineImage | undefined {
    const { hypervisor, images } = this.#options;
    if (!imageId.startsWith(fromDisk)) return Object.entries(images).find(([id]) => keyOf(id) === keyOf(imageId))?.[1];
    const disk = imageId.slice(fromDisk.length);
    return hypervisor && { ...hypervisor, command: hypervisor.command.map((word) => word.replaceAll('{disk}', disk)) };
  }

  #folder(id: string): string {
    const name = lastName(id);
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw notSimulated(`'${name}' is no usable machine name.`);
    return join(this.#options.folder, name);
  }

  #customDataPath(id: string): string {
    return `${this.#folder(id)}.custom-data`;
  }
}
