import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { packageAgent } from '../../../tools/packageAgent.ts';
import { startSync } from '../startSync.ts';
import { startWorld, type World } from '../world.ts';

// Every test spawns processes, which take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const repository = join(import.meta.dirname, '../../..');
const MIB = 2 ** 20;
let world: World;
let out: string;
let bundle: string;

beforeAll(async () => {
  // Outside of the repository: nothing but the one file can be found from there.
  world = await startWorld();
  out = mkdtempSync(join(world.folder, 'agent-'));
  ({ bundle } = await packageAgent(repository, out));
});
afterAll(() => world.stop());

it('is one file with its checksum, its units and the licences of all that is in it', () => {
  expect(readdirSync(out).sort()).toEqual([
    'LICENSE',
    'LICENSES-OF-PACKAGES',
    'landfall-agent-commands.socket',
    'landfall-agent-commands@.service',
    'landfall-agent.mjs',
    'landfall-agent.mjs.sha256',
    'landfall-agent.service',
  ]);
  expect(execFileSync('sha256sum', ['--check', 'landfall-agent.mjs.sha256'], { cwd: out, encoding: 'utf8' })).toBe(
    'landfall-agent.mjs: OK\n',
  );
  const licences = readFileSync(join(out, 'LICENSES-OF-PACKAGES'), 'utf8');
  for (const name of ['rhea', 'jose', 'zod', '@azure/service-bus'])
    expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
  expect(licences).not.toContain('has no file with its text');
  expect(execFileSync(process.execPath, [bundle, '--version'], { encoding: 'utf8' })).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it('enrols, copies a disk with its hashing threads, and has root stop a service: from the bundle alone', async () => {
  const running = join(world.folder, 'running');
  writeFileSync(running, '');
  const sh = (script: string): string[] => ['/bin/sh', '-c', script];
  const web = {
    ...{ name: 'web', dependsOn: [], start: sh(`touch ${running}`), stop: sh(`rm ${running}`) },
    status: sh(`test -e ${running} || exit 3`),
  };
  const allowed = join(world.folder, 'commands.json');
  writeFileSync(allowed, JSON.stringify({ commands: [web.stop, web.status] }), { mode: 0o600 });
  const socket = join(world.folder, 'commands.sock');
  await rootBehind(socket, allowed);
  const appliance = world.appliance({ LANDFALL_COMMANDS_SOCKET: socket }, bundle);
  await world.event('landfall.appliance.heartbeat');

  const path = join(world.folder, 'disk.img');
  const content = Buffer.alloc(9 * MIB, 'a disk of 9 MiB, so that there are several blocks. ');
  writeFileSync(path, content);
  const blob = await world.stage('os', content.length);
  await world.command(startSync('s1', 'initial', { path, sizeBytes: content.length }));
  await world.event('landfall.sync.completed');
  expect((await blob.downloadToBuffer(0, content.length)).equals(content)).toBe(true);

  const stop = { waveId: 'wave', workloadId: 'web', services: [web] };
  await world.command({ type: 'landfall.services.stop', operationId: 'cutover-wave.web-1:stop', data: stop });
  const stopped = await world.event('landfall.services.stopped');
  expect(stopped.data.services).toEqual([{ name: 'web', state: 'stopped', detail: '' }]);
  expect(existsSync(running)).toBe(false);

  const start = { type: 'landfall.services.start' as const, operationId: 'cutover-wave.web-1:start', data: stop };
  await world.command(start);
  const failed = await world.event('landfall.services.failed');
  expect(failed.data.message).toContain(`${allowed} does not name it; install the agent again`);
  expect(existsSync(running)).toBe(false);
  expect(await appliance.terminate()).toBe(0);
});

it('says how it is started when it is started otherwise', () => {
  const run = () => execFileSync(process.execPath, [bundle, 'instal'], { encoding: 'utf8', stdio: 'pipe' });
  expect(run).toThrow(
    expect.objectContaining({ status: 78, stdout: expect.stringContaining('Usage: landfall-agent') }),
  );
});

/** What the socket unit does, by systemd's own tool: a process of the bundle for each connection. */
async function rootBehind(socket: string, allowed: string): Promise<void> {
  const argv = ['--accept', '--inetd', '--listen', socket, process.execPath, bundle, 'run-command', allowed];
  const child = spawn('systemd-socket-activate', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(socket, { force: true });
  });
  await expect.poll(() => existsSync(socket), { timeout: 20_000 }).toBe(true);
}
