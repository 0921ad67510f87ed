import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readText } from '../../../examples/lab/debugfs.ts';
import { createHosts } from '../../../shared/hosts/hosts.ts';
import type { Site } from '../../../shared/model/environment.ts';
import { callService, isRunning, type Laboratory, makeLaboratory, run } from './laboratory.ts';

let lab: Laboratory;
const hosts = createHosts();
const host = () => hosts.of(lab.source)!;
const agentDir = () => join(lab.machineDir, 'agent');
const journal = async () => (await readText(lab.image, '/var/lib/ledger/journal')) ?? '';
const count = async () => Number.parseInt((await journal()).trimEnd().split('\n').at(-1) ?? '0', 10) || 0;
const isSound = async (image: string) => {
  // e2fsck can't look behind an offset, so it gets the partition as a file of its own.
  const partition = `${image}.partition`;
  writeFileSync(partition, readFileSync(image).subarray(2 ** 20));
  const { code, out } = await run('e2fsck', ['-fn', partition]);
  return code === 0 ? 'sound' : out;
};
const until = <T>(check: () => Promise<T> | T) => vi.waitFor(check, { timeout: 10_000, interval: 25 });

beforeAll(async () => {
  lab = await makeLaboratory();
  await lab.startHypervisor();
});
afterAll(async () => {
  await lab.remove();
});

describe('a laboratory machine', () => {
  it('is on at first, shows its disks, and its service answers and writes into its disk', async () => {
    expect(await host().inspect(lab.source)).toEqual({
      power: 'on',
      nicConnected: true,
      disks: [{ id: 'system', sizeBytes: 24 * 2 ** 20 }],
    });
    await until(async () => expect(await count()).toBeGreaterThan(2));
    expect(await callService(lab.port)).toMatch(/^db-01 ledger \d+\n$/);
  });

  it('gives a snapshot that is a sound filesystem while its service goes on writing', async () => {
    const taken = await lab.tool('snapshotctl', 'take', 'system');
    expect(taken.code).toBe(0);
    expect(await isSound(taken.out)).toBe('sound');
    const then = await readText(taken.out, '/var/lib/ledger/journal');
    await until(async () => expect(await journal()).not.toBe(then));
    expect(await readText(taken.out, '/var/lib/ledger/journal')).toBe(then);
    expect((await lab.tool('snapshotctl', 'release', 'system')).code).toBe(0);
    expect(existsSync(taken.out)).toBe(false);
  });

  it('closes its ports while its NIC is disconnected', async () => {
    await host().setNic(lab.source, false);
    expect((await host().inspect(lab.source)).nicConnected).toBe(false);
    expect(await callService(lab.port)).toBeUndefined();
    await host().setNic(lab.source, true);
    expect(await callService(lab.port)).toContain('ledger');
  });

  it('stops a service after its last write, and starts it with its power only where its start mode is automatic', async () => {
    const mode = async () => (await lab.tool('servicectl', 'mode', 'ledger')).out;
    expect(await mode()).toBe('automatic');
    expect(await lab.tool('servicectl', 'manual', 'ledger')).toMatchObject({ code: 0, out: 'manual' });
    expect((await lab.tool('servicectl', 'status', 'ledger')).code).toBe(0);
    expect((await lab.tool('servicectl', 'stop', 'ledger')).code).toBe(0);
    const last = await count();
    expect((await lab.tool('servicectl', 'status', 'ledger')).code).toBe(3);
    expect(await callService(lab.port)).toBeUndefined();

    await host().powerOff(lab.source);
    await host().powerOn(lab.source);
    expect((await lab.tool('servicectl', 'status', 'ledger')).code).toBe(3);
    expect(await mode()).toBe('manual');
    const taken = await lab.tool('snapshotctl', 'take', 'system');
    expect(await readText(taken.out, '/var/lib/ledger/journal')).toContain(`${last} `);
    expect(await count()).toBe(last);

    expect((await lab.tool('servicectl', 'start', 'ledger')).code).toBe(0);
    await until(async () => expect(await count()).toBeGreaterThan(last));
    expect(await mode()).toBe('manual');
    expect((await lab.tool('servicectl', 'automatic', 'ledger')).code).toBe(0);
    expect((await lab.tool('servicectl', 'stop', 'ledger')).code).toBe(0);
    expect(await mode()).toBe('automatic');
    await host().powerOff(lab.source);
    await host().powerOn(lab.source);
    expect((await lab.tool('servicectl', 'status', 'ledger')).code).toBe(0);
  });

  it('goes down when it is asked to, with a sound disk, and its tools say that it is off', async () => {
    await host().shutDown(lab.source);
    await until(async () => expect((await host().inspect(lab.source)).power).toBe('off'));
    expect(await callService(lab.port)).toBeUndefined();
    expect(await isSound(lab.image)).toBe('sound');
    expect(await lab.tool('snapshotctl', 'take', 'system')).toMatchObject({ code: 1, err: 'the machine is off' });
    expect((await lab.tool('servicectl', 'status', 'ledger')).code).toBe(3);
    await host().powerOn(lab.source);
    expect(await callService(lab.port)).toContain('ledger');
  });

  it('has a sound disk after its power was cut in the middle of its writes', async () => {
    for (let round = 0; round < 3; round++) {
      const before = await count();
      await until(async () => expect(await count()).toBeGreaterThan(before));
      await host().powerOff(lab.source);
      expect((await host().inspect(lab.source)).power).toBe('off');
      expect(await isSound(lab.image)).toBe('sound');
      await host().powerOn(lab.source);
    }
  });
});

describe('an agent on a laboratory machine', () => {
  it('is installed once for one bootstrap, in a file that only its owner reads, and restarted when it dies', async () => {
    expect(await host().agents!.installed(lab.source)).toBe(false);
    await host().agents!.install(lab.source, '{"one":1}');
    await host().agents!.install(lab.source, '{"one":1}');
    const [first] = await until(() => lab.starts(agentDir()));
    expect(first?.bootstrap).toBe('{"one":1}');
    expect(statSync(join(agentDir(), 'bootstrap.json')).mode & 0o777).toBe(0o600);
    process.kill(first!.pid, 'SIGKILL');
    const starts = await until(() => {
      const all = lab.starts(agentDir());
      expect(all).toHaveLength(2);
      return all;
    });
    expect(starts[1]?.pid).not.toBe(first?.pid);
  });

  it('ends with its machine’s power and comes back with it', async () => {
    const running = lab.starts(agentDir()).at(-1)!.pid;
    await host().powerOff(lab.source);
    expect(isRunning(running)).toBe(false);
    await host().powerOn(lab.source);
    await until(() => expect(isRunning(lab.starts(agentDir()).at(-1)!.pid)).toBe(true));
  });

  it('starts without its old state when it is installed with another bootstrap, and leaves nothing when removed', async () => {
    await host().agents!.install(lab.source, '{"two":2}');
    const starts = await until(() => lab.starts(agentDir()));
    expect(starts.map(({ bootstrap }) => bootstrap)).toEqual(['{"two":2}']);
    await host().agents!.remove(lab.source);
    await host().agents!.remove(lab.source);
    expect(isRunning(starts[0]!.pid)).toBe(false);
    expect(existsSync(agentDir())).toBe(false);
    expect(await host().agents!.installed(lab.source)).toBe(false);
  });
});

describe('a laboratory site', () => {
  it('deploys a worker, shows it, and removes it', async () => {
    const site: Site = { id: 'lab', host: { kind: 'lab', endpoint: lab.endpoint } };
    const siteHost = hosts.ofSite(site)!;
    expect(await siteHost.workerPresent(site, 'worker-lab')).toBe(false);
    await siteHost.deployWorker(site, 'worker-lab', '{"worker":1}');
    const folder = join(lab.dir, 'workers', 'worker-lab');
    const [started] = await until(() => lab.starts(folder));
    expect(await siteHost.workerPresent(site, 'worker-lab')).toBe(true);
    await siteHost.removeWorker(site, 'worker-lab');
    await siteHost.removeWorker(site, 'worker-lab');
    expect(isRunning(started!.pid)).toBe(false);
    expect(await siteHost.workerPresent(site, 'worker-lab')).toBe(false);
  });
});

describe('the hypervisor', () => {
  it('replaces what a killed predecessor left, and ends everything that it started', async () => {
    await host().agents!.install(lab.source, '{"three":3}');
    const left = await until(() => lab.starts(agentDir())[0]!.pid);
    await lab.stopHypervisor('SIGKILL');
    expect(isRunning(left)).toBe(true);

    await lab.startHypervisor();
    expect(isRunning(left)).toBe(false);
    const now = await until(() => {
      const { pid } = lab.starts(agentDir()).at(-1)!;
      expect(pid).not.toBe(left);
      return pid;
    });
    expect((await host().inspect(lab.source)).power).toBe('on');
    const recorded: { pid: number }[] = JSON.parse(readFileSync(join(lab.dir, 'pids.json'), 'utf8'));
    expect(recorded.map(({ pid }) => pid)).toContain(now);

    await lab.stopHypervisor();
    expect(recorded.filter(({ pid }) => isRunning(pid))).toEqual([]);
    expect(await isSound(lab.image)).toBe('sound');
  });
});

describe('a machine that refuses to shut down', () => {
  it('stays on until its power is cut', async () => {
    const stubborn = await makeLaboratory({ refusesShutdown: true });
    try {
      await stubborn.startHypervisor();
      await host().shutDown(stubborn.source);
      const before = await callService(stubborn.port);
      await until(async () => expect(await callService(stubborn.port)).not.toBe(before));
      expect((await host().inspect(stubborn.source)).power).toBe('on');
      await host().powerOff(stubborn.source);
      expect((await host().inspect(stubborn.source)).power).toBe('off');
    } finally {
      await stubborn.remove();
    }
  });
});
