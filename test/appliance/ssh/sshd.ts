// A real sshd of Debian's on 127.0.0.1, with keys and settings of its own, for one test file.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { listenOnLoopback } from '../../../local/loopback.ts';

export type Sshd = Awaited<ReturnType<typeof startSshd>>;

/** A key pair in `folder`. */
export function keyPair(folder: string, name: string, type = 'ed25519') {
  const path = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', path]);
  const [kind = '', key = ''] = readFileSync(`${path}.pub`, 'utf8').split(' ');
  return { path, privateKey: readFileSync(path, 'utf8'), publicKey: `${kind} ${key.trim()}` };
}

const usual = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Starts one. `only`: where its sessions look for programs; `environment`: what they find beside that. */
export async function startSshd({ only = usual, environment = {} as Record<string, string> } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sshd-'));
  const host = keyPair(folder, 'host');
  const user = keyPair(folder, 'user');
  writeFileSync(join(folder, 'authorized_keys'), `${user.publicKey}\n`);
  const port = await freePort();
  // A home of its own: bash reads the .bashrc of whoever runs the tests in sessions of sshd, too.
  const told = { ...environment, PATH: only, HOME: folder };
  const settings = [
    ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${host.path}`, 'PidFile none', 'UsePAM no'],
    ...[`AuthorizedKeysFile ${join(folder, 'authorized_keys')}`, 'StrictModes no', 'PermitRootLogin yes'],
    ...['PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'MaxStartups 100', 'PrintMotd no'],
    `SetEnv ${Object.entries(told)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
  ];
  writeFileSync(join(folder, 'sshd_config'), `${settings.join('\n')}\n`);
  // Where root starts it, it wants its empty folder, which Debian's service makes.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  for (let tries = 0; !(await answers(port)); tries++) {
    if (child.exitCode !== null || tries > 400) throw new Error(`sshd does not run: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return {
    folder,
    machine: { host: '127.0.0.1', port, hostKeys: [host.publicKey] },
    credential: { user: userInfo().username, privateKey: user.privateKey },
    log: () => log,
    async stop() {
      const gone = once(child, 'exit');
      if (child.exitCode === null && child.signalCode === null && child.kill()) await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether something on that port greets as an SSH server does. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (greeting) => {
      socket.destroy();
      resolve(greeting.toString().startsWith('SSH-2.0-'));
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
