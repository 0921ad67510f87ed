// Files inside an unmounted ext4 image, through debugfs (e2fsprogs): no mount, no root. Only one run at a time may write
// to an image, and only plain names reach debugfs's own command parser.
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const plain = /^[A-Za-z0-9._/@+:-]+$/;

/** Where `makeDisk` puts its one partition. */
export const partitionOffset = 2 ** 20;

export interface Replacement {
  /** Path inside the image. */
  path: string;
  /** A file on this computer whose bytes it gets. */
  from: string;
}

/** Replaces (or creates) files in one run. Their folders must exist. */
export async function replaceFiles(image: string, replacements: Replacement[]): Promise<void> {
  await write(
    image,
    replacements.flatMap(({ path, from }) => [`rm ${named(path)}`, `write ${named(from)} ${named(path)}`]),
  );
}

/** Makes the folders of a path that are missing. debugfs 1.47's mkdir of one that exists leaks an inode, so this looks first. */
export async function ensureFolder(image: string, path: string): Promise<void> {
  const names = path.split('/').filter((name) => name !== '');
  const folders = names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
  for (const folder of folders) {
    const { stdout } = await execute('debugfs', ['-R', `stat ${named(folder)}`, device(image)]);
    if (!/Type: directory/.test(stdout)) await write(image, [`mkdir ${named(folder)}`]);
  }
}

async function write(image: string, commands: string[]): Promise<void> {
  const complaints = await run(image, commands);
  const real = complaints.filter((line) => !/^(debugfs \d|rm: File not found)/.test(line));
  if (real.length > 0) throw new Error(`debugfs could not write to ${image}: ${real.join('; ')}`);
}

/** A file's text, or undefined when there is none. */
export async function readText(image: string, path: string): Promise<string | undefined> {
  const { stdout, stderr } = await execute('debugfs', ['-R', `cat ${named(path)}`, device(image)], {
    maxBuffer: 16 * 2 ** 20,
  });
  return /File not found/.test(stderr) ? undefined : stdout;
}

function device(image: string): string {
  return `${image}?offset=${partitionOffset}`;
}

function named(path: string): string {
  if (!plain.test(path)) throw new Error(`debugfs can't be given the name "${path}"`);
  return path;
}

/** Gives debugfs its commands on stdin and returns what it complained about; its exit code says nothing. */
function run(image: string, commands: string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    // A group of its own: a Ctrl-C in the terminal must not cut a write in half.
    const child = spawn('debugfs', ['-w', '-f', '-', device(image)], {
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    child.once('error', reject);
    child.once('close', () => resolve(complaints.split('\n').filter((line) => line.trim() !== '')));
    child.stdin.end(`${commands.join('\n')}\n`);
  });
}
