import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLog } from '../../../appliance/log.ts';
import { freeze } from '../../../appliance/replication/freeze.ts';
import type { Job } from '../../../appliance/replication/job.ts';
import { wake } from '../../../appliance/replication/quiesce.ts';

let folder: string;
let lines: string[];
let saved: Pick<Job, 'resting' | 'atRest'>[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quiesce-'));
  for (const disk of ['os', 'data']) writeFileSync(join(folder, disk), Buffer.alloc(512));
  lines = [];
  saved = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const journal = (): string[] =>
  existsSync(join(folder, 'journal')) ? readFileSync(join(folder, 'journal'), 'utf8').trim().split('\n') : [];
const does = (what: string, then = ''): string[] => [
  '/bin/sh',
  '-c',
  `echo "${what}" >>${folder}/journal; ${then}`,
  what,
];
const snapshot = (then = '') => ({
  take: ['/bin/sh', '-c', `echo "take $1" >>${folder}/journal; ${then} echo ${folder}/$1`, 'take'],
  release: ['/bin/sh', '-c', `echo "release $1" >>${folder}/journal`, 'release'],
});
const hooks = (change: Partial<NonNullable<Job['command']['quiesce']>> = {}) => ({
  ...{ freeze: does('freeze'), thaw: does('thaw'), withinSeconds: 20 },
  ...change,
});
function job(quiesce = hooks(), kind: Job['command']['kind'] = 'delta'): Job {
  const disks = ['os', 'data'].map((diskId) => ({ diskId, path: '/dev/null', sizeBytes: 512, blobName: diskId }));
  const command = {
    waveId: 'w',
    workloadId: 'db',
    syncId: 's1',
    kind,
    verify: 'written' as const,
    disks,
    snapshot: undefined,
    quiesce,
  };
  return { operationId: 'o', command, startedAt: '', resumed: false, snapshots: {}, changed: {}, disks: {} };
}
const freezing = (one: Job, commands = snapshot(), signal = new AbortController().signal) =>
  freeze(
    commands,
    one,
    () => saved.push({ resting: one.resting === true, atRest: one.atRest === true }),
    createLog((line) => lines.push(line)),
    signal,
  );

it('applications rest from before the first disk is frozen until after the last', async () => {
  const one = job();
  await freezing(one);
  expect(journal()).toEqual(['freeze', 'take os', 'take data', 'thaw']);
  expect(one).toMatchObject({ atRest: true, snapshots: { os: join(folder, 'os'), data: join(folder, 'data') } });
  expect(one.resting).toBeUndefined();
  // It is on record before the first command, and until the last one has ended.
  expect(saved[0]).toEqual({ resting: true, atRest: false });
  expect(saved.at(-1)).toEqual({ resting: false, atRest: true });
});

it('applications that will not rest go on, and the disks are frozen as after a crash', async () => {
  const one = job(hooks({ freeze: does('freeze', 'echo busy >&2; exit 1') }));
  await freezing(one);
  expect(journal().filter((line) => line !== 'thaw')).toEqual(['freeze', 'take os', 'take data']);
  expect(journal().filter((line) => line === 'thaw')).toHaveLength(1);
  expect(one.atRest).toBeUndefined();
  expect(lines.join()).toContain('1: busy');
});

it('applications are not held longer than the source says', async () => {
  const one = job(hooks({ withinSeconds: 1 }));
  // The second disk is frozen only when the applications go on.
  await freezing(one, snapshot(`[ "$1" = os ] || until grep -q ^thaw ${folder}/journal; do sleep 0.05; done;`));
  expect(journal()).toEqual(['freeze', 'take os', 'take data', 'thaw']);
  expect(one.atRest).toBeUndefined();
  expect(lines.join()).toContain('rested for too long');
});

it('a disk that cannot be frozen does not leave them at rest', async () => {
  const one = job();
  await expect(freezing(one, snapshot('exit 1;'))).rejects.toMatchObject({ code: 'snapshotFailed' });
  expect(journal()).toEqual(['freeze', 'take os', 'thaw']);
  expect(one.resting).toBeUndefined();
});

it('nor does a sync that is cancelled meanwhile', async () => {
  const one = job();
  const cancel = new AbortController();
  const going = freezing(one, snapshot('sleep 30;'), cancel.signal);
  await expect.poll(() => journal().includes('take os')).toBe(true);
  cancel.abort();
  await expect(going).rejects.toThrow();
  expect(journal().at(-1)).toBe('thaw');
  expect(one.resting).toBeUndefined();
});

it('applications that do not go on fail the sync, loudly, after three tries', async () => {
  const one = job(hooks({ thaw: does('thaw', 'exit 7') }));
  one.resting = true;
  const around = {
    save: () => undefined,
    log: createLog((line) => lines.push(line)),
    signal: new AbortController().signal,
  };
  const waking = wake(one.command.quiesce!, one, { ...around, pauseMs: 1 });
  await expect(waking).rejects.toMatchObject({
    code: 'thawFailed',
    suggestion: expect.stringContaining('by hand, now'),
  });
  expect(journal()).toEqual(['thaw', 'thaw', 'thaw']);
  expect(one.resting).toBe(true);
});

it('what a crash has left at rest goes on first, and all disks are frozen anew, together', async () => {
  const one = job();
  Object.assign(one, { resting: true, snapshots: { os: join(folder, 'os'), data: '' } });
  await freezing(one);
  expect(journal()).toEqual(['thaw', 'freeze', 'release os', 'take os', 'release data', 'take data', 'thaw']);
  expect(one.atRest).toBe(true);
});

it('frozen copies that are all there are read on, as they were', async () => {
  const one = job();
  Object.assign(one, { atRest: true, snapshots: { os: join(folder, 'os'), data: join(folder, 'data') } });
  await freezing(one);
  expect(journal()).toEqual([]);
  expect(one.atRest).toBe(true);
});

it('before the final sync nothing is brought to rest: the services have stopped', async () => {
  await freezing(job(hooks(), 'final'));
  expect(journal()).toEqual(['take os', 'take data']);
});
