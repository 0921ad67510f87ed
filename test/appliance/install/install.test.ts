import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Installing, installAgent } from '../../../appliance/install/install.ts';
import { removeAgent } from '../../../appliance/install/remove.ts';
import { packageAgent } from '../../../tools/packageAgent.ts';
import { applianceId, startWorld, type World } from '../world.ts';
import { startMachine, type TestMachine } from './machine.ts';

// Every test logs in many times and starts processes, which take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const owner = 'http://127.0.0.1/api/appliances/agent-web-01';
const commands = [['systemctl', 'stop', "the server's own.service"]];
let world: World;
let machine: TestMachine;
let bundle: { path: string; sha256: string };
let within: string;
let fetched: number;

beforeAll(async () => {
  world = await startWorld();
  const out = await packageAgent(join(import.meta.dirname, '../../..'), mkdtempSync(join(world.folder, 'agent-')));
  bundle = { path: out.bundle, sha256: out.sha256 };
  within = mkdtempSync(join(world.folder, 'here-'));
});
afterAll(() => world.stop());
beforeEach(async () => {
  fetched = 0;
  machine = await startMachine(world.applianceEnvironment);
});
afterEach(async () => {
  await machine.stop();
  world.makeRoom();
  world.received.length = 0;
  world.settings.failing = 0;
});

const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const reach = () => ({
  machine: machine.sshd.machine,
  credential: machine.sshd.credential,
  layout: machine.layout,
  within,
  pauseMs: 10,
});
const order = (operationId: string, more: Partial<Installing> = {}): Installing => ({
  ...reach(),
  ...{ operationId, owner, bundle, commands },
  node: { machine: 'Linux-none', payload: async () => ({ path: process.execPath, sha256: 'unused' }) },
  bootstrap: async () => {
    if (world.hasEnrolled()) return undefined;
    fetched++;
    return readFileSync(world.bootstrap, 'utf8');
  },
  times: { enrolMs: 50_000, lookMs: 100 },
  ...more,
});
const install = (operationId: string, more?: Partial<Installing>) => installAgent(order(operationId, more));
const remove = () => removeAgent({ ...reach(), owner });
const traces = (): string[] => {
  const { programs, settings, state, agentUnit, dropIns, socketUnit, commandUnit, units } = machine.layout;
  const wanted = join(units, 'multi-user.target.wants/landfall-agent.service');
  return [programs, settings, state, agentUnit, dropIns, socketUnit, commandUnit, wanted].filter((path) =>
    existsSync(path),
  );
};

it('an agent is put there, enrols, and goes again without a trace; what was done is not done again', async () => {
  const { layout } = machine;
  mkdirSync(layout.dropIns, { recursive: true });
  expect(await install('prepare-wave.web-1:1')).toMatchObject({ sha256: bundle.sha256, changed: true });
  expect(existsSync(layout.dropIns)).toBe(true);
  const beat = await world.event('landfall.appliance.heartbeat');
  expect(beat.source).toBe(applianceId);
  expect(digest(layout.bundle)).toBe(bundle.sha256);
  expect(readFileSync(layout.agentUnit, 'utf8')).toContain(
    `ExecStart=${machine.bin}/node --max-semi-space-size=1 --no-parallel-scavenge ${layout.bundle}`,
  );
  expect(JSON.parse(readFileSync(layout.commands, 'utf8'))).toEqual({ commands });
  expect(statSync(layout.commands).mode & 0o777).toBe(0o600);
  // The token is used up.
  expect(existsSync(layout.bootstrap)).toBe(false);
  expect(machine.asked()).toContain('systemctl enable landfall-agent-commands.socket');

  const before = machine.asked().length;
  expect(await install('prepare-wave.web-1:1')).toMatchObject({ changed: false });
  expect(machine.asked().slice(before)).toEqual(['systemctl is-active landfall-agent.service']);
  expect(fetched).toBe(1);
  expect(await install('prepare-wave.web-1:2')).toMatchObject({ changed: true });
  expect(readFileSync(layout.operation, 'utf8')).toBe('prepare-wave.web-1:2');
  expect(fetched).toBe(1);

  expect(await remove()).toEqual({ wasThere: true });
  expect(traces()).toEqual([]);
  expect(machine.asked()).toContain('userdel landfall-agent');
  expect(await remove()).toEqual({ wasThere: false });
  // Neither the machine's own log of logins nor this side keeps a secret.
  expect(machine.sshd.log()).not.toContain(world.settings.token);
  expect(existsSync(join(within, 'key'))).toBe(false);
});

it('another’s agent stays as it is, and one that nobody has signed', async () => {
  const { programs, owner: whose, bundle: path } = machine.layout;
  mkdirSync(programs, { recursive: true });
  writeFileSync(path, 'another bundle');
  const others = 'http://127.0.0.1/api/appliances/agent-db-01';
  writeFileSync(whose, others);
  const refused = { code: 'agentForeign', message: expect.stringContaining(others) };
  await expect(install('prepare-wave.web-1:1')).rejects.toMatchObject(refused);
  expect(await remove()).toEqual({ wasThere: false, stays: others });
  rmSync(whose);
  await expect(install('prepare-wave.web-1:2')).rejects.toMatchObject({ code: 'agentForeign' });
  expect(await remove()).toEqual({ wasThere: false, stays: 'somebody' });
  expect(readFileSync(path, 'utf8')).toBe('another bundle');
  expect(machine.asked().filter((line) => !line.startsWith('systemctl is-active'))).toEqual([]);
});

it('what is left after a removal is found and named, and the next one goes on', async () => {
  await install('prepare-wave.web-1:1');
  machine.plant('userdel-refuses');
  machine.plant('disable-refuses');
  const pid = readFileSync(machine.agentPid, 'utf8').trim();
  const named = `the user landfall-agent, the group landfall-agent, process ${pid}, unit landfall-agent.service`;
  await expect(remove()).rejects.toMatchObject({ code: 'agentStillThere', message: expect.stringContaining(named) });
  machine.heal('userdel-refuses');
  machine.heal('disable-refuses');
  expect(await remove()).toEqual({ wasThere: false });
  expect(traces()).toEqual([]);
});

it('a full disk is named, and when there is room the same operation goes through', async () => {
  const { programs, bundle: path } = machine.layout;
  mkdirSync(programs, { recursive: true });
  symlinkSync('/dev/full', `${path}.part`);
  const full = { code: 'diskFull', message: expect.stringMatching(/no room on 127\.0\.0\.1.*No space left/is) };
  await expect(install('prepare-wave.web-1:1')).rejects.toMatchObject(full);
  expect(fetched).toBe(0);
  rmSync(`${path}.part`);
  expect(await install('prepare-wave.web-1:1')).toMatchObject({ changed: true });
});

it('what arrives damaged is thrown away and never started', async () => {
  const damaged = { bundle: { ...bundle, sha256: 'f'.repeat(64) } };
  await expect(install('prepare-wave.web-1:1', damaged)).rejects.toMatchObject({ code: 'checksumDiffers' });
  expect(existsSync(machine.layout.bundle)).toBe(false);
  expect(existsSync(`${machine.layout.bundle}.part`)).toBe(false);
  expect(machine.asked().filter((line) => /restart|enable/.test(line))).toEqual([]);
});

it('where no Node is new enough, one is brought along if it runs there', async () => {
  machine.without('node');
  await expect(install('prepare-wave.web-1:1')).rejects.toMatchObject({
    code: 'nodeMissing',
    message: expect.stringMatching(
      /it has none, and the one of the target appliance is for Linux-none, not for Linux-/,
    ),
  });
  const old = join(machine.folder, 'old');
  writeFileSync(old, '#!/bin/sh\necho v18.20.1\n', { mode: 0o755 });
  machine.with('node', old);
  const uname = `${(await import('node:os')).type()}-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}`;
  const broken = join(machine.folder, 'broken');
  writeFileSync(broken, '#!/bin/sh\necho "GLIBC_2.28 not found" >&2\nexit 1\n', { mode: 0o755 });
  const brought = (path: string) => ({
    node: { machine: uname, payload: async () => ({ path, sha256: digest(path) }) },
  });
  await expect(install('prepare-wave.web-1:1', brought(broken))).rejects.toMatchObject({
    code: 'nodeMissing',
    message: expect.stringMatching(/v18\.20\.1.*GLIBC_2\.28 not found/),
  });
  const good = join(machine.folder, 'good');
  writeFileSync(good, `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
  expect(await install('prepare-wave.web-1:1', brought(good))).toMatchObject({ node: machine.layout.node });
  expect(await remove()).toEqual({ wasThere: true });
  expect(traces()).toEqual([]);
});

it('a login that cannot become root changes nothing and says why', async () => {
  machine.plant('uid', '1000\n');
  machine.plant('sudo-refuses');
  const asks = { code: 'noSudo', message: expect.stringContaining('a password is required') };
  await expect(install('prepare-wave.web-1:1')).rejects.toMatchObject(asks);
  machine.without('sudo');
  const none = { code: 'noSudo', message: expect.stringContaining('it is user 1000, and the machine has no sudo') };
  await expect(install('prepare-wave.web-1:1')).rejects.toMatchObject(none);
  expect(traces()).toEqual([]);
  machine.with('sudo', machine.standInPath);
  machine.heal('sudo-refuses');
  expect(await remove()).toEqual({ wasThere: false });
  expect(machine.asked()).toContain('sudo -n sh -s');
});

it('without systemd nothing is put there', async () => {
  rmSync(join(machine.layout.root, 'run/systemd'), { recursive: true });
  await expect(install('prepare-wave.web-1:1')).rejects.toMatchObject({ code: 'noSystemd' });
  expect(traces()).toEqual([]);
});

it('an agent that does not start, or whose token is refused, is shown with the end of its log', async () => {
  machine.plant('start-refuses');
  const refused = {
    code: 'agentNotStarted',
    message: expect.stringContaining('Job for landfall-agent.service failed'),
  };
  await expect(install('prepare-wave.web-1:1')).rejects.toMatchObject(refused);
  machine.heal('start-refuses');
  const spent = readFileSync(world.bootstrap, 'utf8').replace(world.settings.token, 'a-token-that-nobody-knows');
  await expect(install('prepare-wave.web-1:2', { bootstrap: async () => spent })).rejects.toMatchObject({
    code: 'agentNotStarted',
    message: expect.stringMatching(/it is failed;.*refused the enrolment/),
  });
});

it('an agent that cannot reach the platform is shown with what it says, and stays for the next try', async () => {
  world.settings.failing = 1000;
  const order = { times: { enrolMs: 0, lookMs: 100 } };
  await expect(install('prepare-wave.web-1:1', order)).rejects.toMatchObject({
    code: 'agentNotEnrolled',
    message: expect.stringContaining('the platform answered 503'),
  });
  world.settings.failing = 0;
  expect(await install('prepare-wave.web-1:1')).toMatchObject({ changed: true });
});

it('a connection that fails is tried three times', async () => {
  const closed = { machine: { ...machine.sshd.machine, port: 1 } };
  const began = Date.now();
  await expect(install('prepare-wave.web-1:1', { ...closed, pauseMs: 100 })).rejects.toMatchObject({
    code: 'sshRefused',
  });
  // Half of 100 ms and half of 200 ms at the least.
  expect(Date.now() - began).toBeGreaterThanOrEqual(150);
});
