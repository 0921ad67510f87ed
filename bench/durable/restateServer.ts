// Restate's server in a process of its own: loopback only, no telemetry, everything else as it comes, which means an
// fsync of the write-ahead log before anything is acknowledged.
import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RestateServer {
  pid: number;
  ingress: string;
  /** Makes the services of this endpoint known. */
  register: (endpoint: string) => Promise<void>;
  stop: () => Promise<void>;
}

const startWithin = 30_000;

/** Starts a server that keeps its data in the directory; resolves when it takes requests. */
export async function startRestateServer(directory: string): Promise<RestateServer> {
  const [ingress, admin, node] = await freePorts(3);
  const configFile = join(directory, 'restate.toml');
  writeFileSync(
    configFile,
    [
      `base-dir = ${JSON.stringify(directory)}`,
      'bind-ip = "127.0.0.1"',
      `bind-port = ${node}`,
      'listen-mode = "tcp"',
      'disable-telemetry = true',
      'log-filter = "warn"',
      '[ingress]',
      `bind-port = ${ingress}`,
      '[admin]',
      `bind-port = ${admin}`,
      '',
    ].join('\n'),
  );
  const logFile = join(directory, 'server.log');
  const log = openSync(logFile, 'w');
  const server = spawn(binary(), ['--no-logo', '--config-file', configFile], { stdio: ['ignore', log, log] });
  const kill = () => server.kill('SIGKILL');
  // Before its directory is removed, which another exit handler does.
  process.prependListener('exit', kill);
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const url = (port: number | undefined) => `http://127.0.0.1:${port}`;
  const give = (reason: string) => new Error(`${reason}\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
  await Promise.race([
    untilHealthy([`${url(admin)}/health`, `${url(ingress)}/restate/health`]),
    ended.then(() => Promise.reject(give('The Restate server ended.'))),
  ]);
  if (server.pid === undefined) throw give('The Restate server did not start.');
  return {
    pid: server.pid,
    ingress: url(ingress),
    register: async (endpoint) => {
      const body = JSON.stringify({ uri: endpoint });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url(admin)}/deployments`, { method: 'POST', headers, body });
      if (!response.ok) throw give(`Restate refused the endpoint: ${response.status} ${await response.text()}`);
    },
    stop: async () => {
      server.kill('SIGKILL');
      await ended;
      process.off('exit', kill);
    },
  };
}

/** npm installs one package with the binary for the platform. */
function binary(): string {
  const require = createRequire(import.meta.resolve('@restatedev/restate-server/package.json'));
  return require.resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
}

async function untilHealthy(urls: string[]): Promise<void> {
  const deadline = Date.now() + startWithin;
  for (const url of urls) {
    while (
      !(await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (Date.now() > deadline) throw new Error(`${url} did not answer within ${startWithin} ms.`);
      await sleep(50);
    }
  }
}

/** Ports that were free a moment ago; all are held until the last is known, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
