// Debian's NBD servers, each on a Unix socket or port of its own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts } from 'node:net';

/** The package that a program is in, for people who lack it. */
const packages: Readonly<Record<string, string>> = {
  'qemu-img': 'qemu-utils',
  'qemu-io': 'qemu-utils',
  'qemu-nbd': 'qemu-utils',
  nbdkit: 'nbdkit',
  'mkfs.xfs': 'xfsprogs',
  mke2fs: 'e2fsprogs',
  'qemu-storage-daemon': 'qemu-system-common',
};

function explain(program: string, error: unknown): never {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  throw new Error(
    `${program} not found. Install ${packages[program] ?? program}, on Debian: apt-get install ${packages[program] ?? program}`,
  );
}

/** Runs a program to its end and returns what it says. */
export function run(program: string, ...parameters: string[]): string {
  try {
    return execFileSync(program, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    return explain(program, error);
  }
}

export interface Served {
  child: ChildProcess;
  stop(): Promise<void>;
}

/** Starts a server and resolves when its socket, or whatever `ready` looks for, is there. */
export async function serve(
  program: string,
  parameters: string[],
  ready: () => boolean | Promise<boolean>,
): Promise<Served> {
  const child = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exited = once(child, 'exit').catch((error: unknown) => explain(program, error));
  let isOver = false;
  exited.then(
    () => {
      isOver = true;
    },
    () => {
      isOver = true;
    },
  );
  while (!(await ready())) {
    if (isOver) {
      await exited;
      throw new Error(`${program} ended: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    child,
    async stop() {
      if (!isOver) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Whether a server accepts connections: its socket is there a moment earlier. */
export function accepts(where: NetConnectOpts): () => Promise<boolean> {
  return () =>
    new Promise((resolve) => {
      const probe = connect(where);
      probe.on('connect', () => resolve(true)).on('error', () => resolve(false));
      probe.on('connect', () => probe.destroy());
    });
}

/** qemu-nbd shows an image of any format that QEMU knows, to several clients one after the other. */
export async function qemuNbd(
  socket: string,
  image: string,
  ...parameters: string[]
): Promise<Served & { uri: string }> {
  const served = await serve(
    'qemu-nbd',
    ['--persistent', '--shared=8', '--read-only', `--socket=${socket}`, ...parameters, image],
    accepts({ path: socket }),
  );
  return { ...served, uri: `nbd+unix:///?socket=${encodeURIComponent(socket)}` };
}

/** nbdkit with a plugin and, by `--filter=…`, filters. */
export async function nbdkit(socket: string, ...parameters: string[]): Promise<Served & { uri: string }> {
  const served = await serve(
    'nbdkit',
    ['--foreground', '--readonly', `--unix=${socket}`, ...parameters],
    accepts({ path: socket }),
  );
  return { ...served, uri: `nbd+unix:///?socket=${encodeURIComponent(socket)}` };
}

/** A port that nobody has just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}
