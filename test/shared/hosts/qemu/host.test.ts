// Real QEMU processes: what the host says of them and does to them is looked at in the machine itself.
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createHosts } from '../../../../shared/hosts/hosts.ts';
import { withQmp } from '../../../../shared/hosts/qemu/qmp.ts';
import { source } from '../../../fakes/definitions.ts';
import { makeGuestDisk } from '../guest.ts';
import { startQemu, stopQemu, until } from './process.ts';

// Emulated machines are slow where the computer is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
const running: ChildProcess[] = [];
const sourceOf = (machine: string) =>
  source('db-01', {
    host: { kind: 'qemu', connection: 'cellar', machine },
    disks: [
      { id: 'os', path: '/dev/vda', sizeBytes: 2 ** 20, boot: true },
      { id: 'logs', path: '/dev/vdb', sizeBytes: 2 ** 21, boot: false, atHost: 'data' },
    ],
  });
const polite = sourceOf('polite');
const deaf = sourceOf('deaf');
const host = () => createHosts({ cellar: { kind: 'qemu', sockets: folder } }).of(polite)!;
const powerOf = async (of: typeof polite) => (await host().inspect(of)).power;
const monitor = (machine: string, line: string) =>
  withQmp(join(folder, `${machine}.qmp`), (qmp) =>
    qmp.execute('human-monitor-command', { 'command-line': line }, z.string()),
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'landfall-qemu-'));
  const [os, empty, data] = ['os', 'empty', 'data'].map((name) => join(folder, `${name}.img`)) as [
    string,
    string,
    string,
  ];
  await makeGuestDisk(os);
  await writeFile(empty, '');
  await truncate(empty, 2 ** 20);
  await writeFile(data, '');
  await truncate(data, 2 ** 21);
  running.push(
    await startQemu(folder, 'polite', [
      { id: 'os', format: 'raw', path: os },
      { id: 'data', format: 'raw', path: data },
    ]),
    await startQemu(folder, 'deaf', [{ id: 'os', format: 'raw', path: empty }]),
  );
});
afterAll(async () => {
  for (const child of running) await stopQemu(child);
  await rm(folder, { recursive: true, force: true });
});

test('a machine is described as QEMU has it, its disks by the ids of the inventory', async () => {
  expect(await host().inspect(polite)).toEqual({
    power: 'on',
    nicConnected: true,
    disks: [
      { id: 'os', sizeBytes: 2 ** 20 },
      { id: 'logs', sizeBytes: 2 ** 21 },
    ],
  });
  expect((await host().inspect({ ...polite, disks: polite.disks.slice(0, 1) })).disks.map(({ id }) => id)).toEqual([
    'os',
    'data',
  ]);
});

test('its network interface loses its link and gets it back, as the guest sees it', async () => {
  // Bit 1 of the status register of an e1000: https://www.intel.com/content/dam/doc/manual/pci-pci-x-family-gbe-controllers-software-dev-manual.pdf
  const hasLink = async (): Promise<boolean> => {
    const [, registers = ''] =
      /Ethernet controller[\s\S]*?BAR0: 32 bit memory at (0x[0-9a-f]+)/.exec(await monitor('polite', 'info pci')) ?? [];
    const [, status = ''] = /: (0x[0-9a-f]+)/.exec(await monitor('polite', `xp /1wx ${Number(registers) + 8}`)) ?? [];
    return (Number(status) & 2) !== 0;
  };
  await until(async () => (await monitor('polite', 'info pci')).includes('BAR0: 32 bit memory at 0x'));
  await until(hasLink);
  for (const connected of [false, false, true, true]) {
    await host().setNic(polite, connected);
    // Up again it negotiates first.
    await until(async () => (await hasLink()) === connected);
    expect(await host().inspect(polite)).toMatchObject({ power: 'on', nicConnected: connected });
  }
});

test('a guest that heeds its power button goes off, and comes back', async () => {
  await until(async () => {
    await host().shutDown(polite);
    return (await powerOf(polite)) === 'off';
  });
  await host().shutDown(polite);
  await host().powerOff(polite);
  expect(await powerOf(polite)).toBe('off');
  await host().powerOn(polite);
  await host().powerOn(polite);
  expect(await powerOf(polite)).toBe('on');
});

test('a guest that heeds nobody stays on until its power is cut', async () => {
  await host().shutDown(deaf);
  await host().shutDown(deaf);
  expect(await powerOf(deaf)).toBe('on');
  await host().powerOff(deaf);
  await host().powerOff(deaf);
  expect(await powerOf(deaf)).toBe('off');
  await host().powerOn(deaf);
  expect(await powerOf(deaf)).toBe('on');
});

test('a machine that somebody else has paused is on: anybody may let it go on', async () => {
  await monitor('deaf', 'stop');
  expect(await powerOf(deaf)).toBe('on');
  await monitor('deaf', 'cont');
});

test('a process that has ended is off and disconnected, and only who started it can start it', async () => {
  await stopQemu(running[1]!);
  expect(await host().inspect(deaf)).toEqual({ power: 'off', nicConnected: false, disks: [] });
  await host().shutDown(deaf);
  await host().powerOff(deaf);
  await host().setNic(deaf, false);
  for (const work of [host().powerOn(deaf), host().setNic(deaf, true)])
    await expect(work).rejects.toMatchObject({ failure: { code: 'sourceUnreachable', kind: 'terminal' } });
});
