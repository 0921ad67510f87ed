// The services of one machine: each really listens on its port and really changes files inside the machine's disk, so
// that there is something to replicate and something to lose.
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { z } from 'zod';
import { StartMode } from '../../shared/model/source.ts';
import { ensureFolder, readText, replaceFiles } from './debugfs.ts';
import type { LabMachine } from './description.ts';

type Description = LabMachine['services'][number];

const linesKept = 500;
const dataFiles = 4;

/** One service. Its journal on the disk is its memory: after a restart it counts on from there. */
export class Service {
  readonly name: string;
  readonly #hostName: string;
  readonly #port: number;
  readonly #image: string;
  #listener: Server | undefined;
  #journal: string[] = [];
  #count = 0;
  running = false;

  constructor(machine: LabMachine, { name, port }: Description) {
    this.name = name;
    this.#port = port;
    this.#hostName = machine.hostName;
    this.#image = machine.disks[0]?.path ?? '';
  }

  async start(nicConnected: boolean): Promise<void> {
    if (this.running) return;
    await ensureFolder(this.#image, `/var/lib/${this.name}`);
    const journal = (await readText(this.#image, `/var/lib/${this.name}/journal`)) ?? '';
    this.#journal = journal.split('\n').filter((line) => line !== '');
    this.#count = Number.parseInt(this.#journal.at(-1) ?? '0', 10) || 0;
    if (nicConnected) await this.open();
    this.running = true;
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.close();
  }

  /** Listens; each caller gets one line. */
  async open(): Promise<void> {
    if (this.#listener) return;
    const listener = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`${this.#hostName} ${this.name} ${this.#count}\n`);
    });
    listener.listen(this.#port, '127.0.0.1');
    await once(listener, 'listening');
    this.#listener = listener;
  }

  async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener) await new Promise<void>((resolve) => listener.close(() => resolve()));
  }

  /** One burst of writes: a line in the journal always, and now and then a file of random bytes. */
  async write(): Promise<void> {
    this.#count++;
    this.#journal = [...this.#journal, `${this.#count} ${new Date().toISOString()}`].slice(-linesKept);
    const folder = `/var/lib/${this.name}`;
    const replacements = [
      { path: `${folder}/journal`, from: this.#staged('journal', `${this.#journal.join('\n')}\n`) },
    ];
    if (this.#count % 3 === 1) {
      const bytes = randomBytes(randomInt(64 * 1024, 2 ** 20));
      const number = Math.floor(this.#count / 3) % dataFiles;
      replacements.push({ path: `${folder}/data-${number}`, from: this.#staged('data', bytes) });
    }
    await replaceFiles(this.#image, replacements);
  }

  /** Writes what debugfs is to copy into the image to a file beside us; this process stands in the machine's folder. */
  #staged(kind: string, content: string | Buffer): string {
    const path = `${this.name}.${kind}.tmp`;
    writeFileSync(path, content);
    return path;
  }
}

const Modes = z.record(z.string(), StartMode);
type Modes = z.infer<typeof Modes>;
const modesFile = 'services.json';

/** Start modes as somebody last set them, else as described. */
export function readModes(services: Description[]): Modes {
  const described = Object.fromEntries(services.map(({ name, startMode }) => [name, startMode]));
  try {
    return { ...described, ...Modes.parse(JSON.parse(readFileSync(modesFile, 'utf8'))) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return described;
    throw error;
  }
}

export function writeModes(modes: Modes): void {
  writeFileSync(`${modesFile}.new`, `${JSON.stringify(modes, null, 2)}\n`);
  renameSync(`${modesFile}.new`, modesFile);
}
