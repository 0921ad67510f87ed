// Reads files out of an ext4 filesystem inside a disk image with debugfs, which needs no mount and no privilege.
// Nothing here goes through a shell, and only paths of plain characters reach debugfs's own command parser.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const plainPath = /^\/[A-Za-z0-9._/+@:-]*$/;
const largestFile = 1024 * 1024;
const env = { PATH: process.env.PATH, LC_ALL: 'C', DEBUGFS_PAGER: 'cat' };

export const isPlainPath = (path: string): boolean => plainPath.test(path);

export class Filesystem {
  readonly #device: string;

  /** `offset` is where in the image the filesystem begins. */
  constructor(image: string, offset: number) {
    this.#device = offset ? `${image}?offset=${offset}` : image;
  }

  /** The type of what is at the path, symbolic links followed, with its real path; nothing when there is nothing. */
  async find(path: string, depth = 0): Promise<{ path: string; kind: 'file' | 'directory' } | undefined> {
    if (!isPlainPath(path) || depth > 8) return undefined;
    const stat = await this.#ask(`stat ${path}`);
    const kind = /\bType: (\S+)/.exec(stat)?.[1];
    if (kind === 'regular') return { path, kind: 'file' };
    if (kind === 'directory') return { path, kind: 'directory' };
    const link = /Fast link dest: "([^"]*)"/.exec(stat)?.[1];
    return link === undefined ? undefined : this.find(posix.resolve(posix.dirname(path), link), depth + 1);
  }

  /** The content of a file of at most 1 MiB. */
  async read(path: string): Promise<Buffer> {
    const { stdout } = await execute('debugfs', ['-R', `cat ${plain(path)}`, this.#device], {
      encoding: 'buffer',
      maxBuffer: largestFile,
      env,
    });
    return stdout;
  }

  async sha256(path: string): Promise<string> {
    const child = spawn('debugfs', ['-R', `cat ${plain(path)}`, this.#device], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const hash = createHash('sha256');
    const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) hash.update(chunk);
    if ((await ended) !== 0) throw new Error(`debugfs failed on ${path}`);
    return hash.digest('hex');
  }

  /** Names in a directory, without those that begin with a dot. */
  async names(path: string): Promise<string[]> {
    const lines = (await this.#ask(`ls -p ${plain(path)}`)).split('\n');
    const names = lines.map((line) => line.split('/')[5] ?? '').filter((name) => name && !name.startsWith('.'));
    return names.sort();
  }

  async #ask(command: string): Promise<string> {
    const { stdout } = await execute('debugfs', ['-R', command, this.#device], { env, maxBuffer: 4 * largestFile });
    return stdout;
  }
}

function plain(path: string): string {
  if (!isPlainPath(path)) throw new Error(`not a plain path: ${path}`);
  return path;
}
