// Snapshots of a real QEMU whose guest writes all the time, read over NBD by qemu-img.
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { FrozenDisk } from '../../../../shared/hosts/contract.ts';
import { createHosts } from '../../../../shared/hosts/hosts.ts';
import { withQmp } from '../../../../shared/hosts/qemu/qmp.ts';
import { source } from '../../../fakes/definitions.ts';
import { countOn, makeGuestDisk } from '../guest.ts';
import { run, startQemu, stopQemu, until } from './process.ts';

// Emulated machines are slow where the computer is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
let scratch: string;
let child: ChildProcess;
const db = source('db-01', {
  host: { kind: 'qemu', connection: 'cellar', machine: 'db' },
  disks: [
    { id: 'os', path: '/dev/vda', sizeBytes: 2 ** 20, boot: true },
    { id: 'data', path: '/dev/vdb', sizeBytes: 2 ** 21, boot: false },
  ],
});
const host = () => createHosts({ cellar: { kind: 'qemu', sockets: folder, scratch } }).of(db)!;
const snapshots = () => host().snapshots!;
const start = () =>
  startQemu(folder, 'db', [
    { id: 'os', format: 'qcow2', path: join(folder, 'os.qcow2') },
    { id: 'data', format: 'raw', path: join(folder, 'data.img') },
  ]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'landfall-qemu-'));
  scratch = await mkdtemp(join(tmpdir(), 'landfall-scratch-'));
  await makeGuestDisk(join(folder, 'os.img'));
  await run('qemu-img', ['convert', '-O', 'qcow2', join(folder, 'os.img'), join(folder, 'os.qcow2')]);
  await writeFile(join(folder, 'data.img'), 'data');
  await truncate(join(folder, 'data.img'), 2 ** 21);
  child = await start();
});
afterAll(async () => {
  await stopQemu(child);
  for (const each of [folder, scratch]) await rm(each, { recursive: true, force: true });
});

const uriOf = ({ at }: FrozenDisk): string => ('nbd' in at ? at.nbd : '');
const marksOf = (disks: FrozenDisk[]) => Object.fromEntries(disks.map(({ id, mark = '' }) => [id, mark]));

async function read(disk: FrozenDisk): Promise<Buffer> {
  const copy = join(folder, `${disk.id}.copy`);
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', uriOf(disk), copy]);
  return readFile(copy);
}

/** Ranges that an export's bitmap calls changed. */
async function changedIn(disk: FrozenDisk): Promise<{ start: number; length: number }[]> {
  const [, name, path] = /^nbd\+unix:\/\/\/(.+)\?socket=(.+)$/.exec(uriOf(disk)) ?? [];
  const changed = disk.changed !== undefined && 'context' in disk.changed ? disk.changed.context : '';
  const image = `driver=nbd,server.type=unix,server.path=${path},export=${name},x-dirty-bitmap=${changed}`;
  const { stdout } = await run('qemu-img', ['map', '--output', 'json', '--image-opts', image]);
  const ranges = JSON.parse(stdout) as { start: number; length: number; data: boolean }[];
  return ranges.filter(({ data }) => !data).map(({ start, length }) => ({ start, length }));
}

/** Bytes that the guest has overwritten since the snapshot that is held. */
async function copied(): Promise<number> {
  const jobs = z.array(z.looseObject({ id: z.string(), 'current-progress': z.number() }));
  const found = await withQmp(join(folder, 'db.qmp'), (qmp) => qmp.execute('query-jobs', {}, jobs));
  return found.find(({ id }) => id.endsWith('.os'))?.['current-progress'] ?? 0;
}

/** Takes snapshots under names of their own until the guest has written more than `count`. */
async function countBeyond(count: number): Promise<void> {
  for (let name = 0, seen = count; seen <= count; name++) {
    const [os] = await snapshots().take(db, `look-${name}`);
    seen = countOn(await read(os!));
    await snapshots().release(db, `look-${name}`);
  }
}

test('all disks stay as they were at one moment while the guest writes on', async () => {
  await countBeyond(0);
  const [os, data] = await snapshots().take(db, 'first');
  expect([os?.id, data?.id]).toEqual(['os', 'data']);
  const before = await read(os!);
  expect(countOn(before)).toBeGreaterThan(0);
  expect((await read(data!)).subarray(0, 5).toString()).toBe('data\0');
  // The guest's next write is copied before, into scratch.
  await until(async () => (await copied()) > 0);
  expect((await snapshots().take(db, 'first'))[0]).toEqual(os);
  expect((await host().inspect(db)).disks.map(({ id }) => id)).toEqual(['os', 'data']);
  expect((await read(os!)).equals(before)).toBe(true);
  await snapshots().release(db, 'first');
  await countBeyond(countOn(before));
});

test('what has changed since an earlier snapshot is told, and nothing else', async () => {
  const base = await snapshots().take(db, 'base');
  const [os, data] = base;
  expect([os?.changed, data?.changed]).toEqual([undefined, undefined]);
  const before = countOn(await read(os!));
  await snapshots().release(db, 'base');
  await until(async () => {
    const [next] = await snapshots().take(db, 'next', marksOf(base));
    const moved = countOn(await read(next!)) > before;
    if (!moved) await snapshots().release(db, 'next');
    return moved;
  });
  const [changedOs, changedData] = await snapshots().take(db, 'next', marksOf(base));
  expect(await changedIn(changedOs!)).toEqual([{ start: 0, length: 65_536 }]);
  expect(await changedIn(changedData!)).toEqual([]);
  await snapshots().release(db, 'next');
});

test('an unknown earlier snapshot tells nothing, and one is held at a time', async () => {
  const [os] = await snapshots().take(db, 'one', { os: 'landfall.never', data: 'landfall.never' });
  expect(os?.changed).toBeUndefined();
  await expect(snapshots().take(db, 'two')).rejects.toMatchObject({ failure: { code: 'conflict' } });
  await snapshots().release(db, 'one');
  await snapshots().release(db, 'one');
  expect(await readdir(scratch)).toEqual([]);
});

test('a process that ended with a snapshot leaves no file once that is released', async () => {
  const lost = await snapshots().take(db, 'lost');
  await stopQemu(child);
  await snapshots().release(db, 'lost');
  expect(await readdir(scratch)).toEqual([]);
  await expect(snapshots().take(db, 'more')).rejects.toMatchObject({ failure: { code: 'sourceUnreachable' } });
  child = await start();
  const [os] = await snapshots().take(db, 'again', marksOf(lost));
  // A bitmap that was not closed in order is not believed.
  expect(os?.changed).toBeUndefined();
  await snapshots().release(db, 'again');
});
