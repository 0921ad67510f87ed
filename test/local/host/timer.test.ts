import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InvocationContext, Timer } from '@azure/functions';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { startHost } from '../../../local/host/startHost.ts';
import { ticks } from './fixtures/timers/ticks.ts';
import { ManualClock } from './manualClock.ts';

const timers = 4;

beforeEach(() => {
  Object.assign(ticks, { running: 0, most: 0, daily: [], atStart: [], often: () => {}, retried: () => {} });
});

async function start(clock: ManualClock, settings: Record<string, string> = {}, dataDir?: string) {
  const lines: string[] = [];
  const host = await startHost({
    appDirectory: join(import.meta.dirname, 'fixtures/timers'),
    settings: { EVERY: '0 0 0 1 1 *', WEBSITE_TIME_ZONE: '', ...settings },
    clock,
    log: (line) => lines.push(line),
    ...(dataDir !== undefined && { dataDir }),
  });
  onTestFinished(() => host.stop());
  if (host.loadErrors.length === 0) await clock.armed(timers);
  return { host, lines };
}

function dataDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'host-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a timer runs on its seconds, and a run that lasts longer than the interval is followed by one more at once', async () => {
  const clock = new ManualClock('2026-05-01T10:00:00.500Z');
  const starts: string[] = [];
  let end = () => {};
  ticks.often = () => {
    starts.push(new Date(clock.now()).toISOString());
    return starts.length === 2 ? new Promise<void>((resolve) => (end = resolve)) : undefined;
  };
  await start(clock, { EVERY: '*/10 * * * * *' });
  await clock.advance('2026-05-01T10:00:10Z');
  const moved = clock.advance('2026-05-01T10:00:20Z');
  await vi.waitFor(() => expect(starts).toHaveLength(2), { timeout: 10_000, interval: 2 });
  clock.skip(25_000);
  end();
  await moved;
  await clock.advance('2026-05-01T10:00:59Z');
  expect(starts.map((time) => time.slice(17, 19))).toEqual(['10', '20', '45', '50']);
  expect(ticks.most).toBe(1);
});

test('timers go by the zone of WEBSITE_TIME_ZONE, and their status is told as Azure tells it', async () => {
  const clock = new ManualClock('2026-03-27T12:00:00Z');
  await start(clock, { WEBSITE_TIME_ZONE: 'Europe/Berlin' });
  await clock.advance('2026-03-29T12:00:00Z');
  const schedule = { adjustForDST: true };
  expect(ticks.daily).toEqual([
    {
      isPastDue: false,
      schedule,
      scheduleStatus: {
        last: '0001-01-01T00:00:00+00:00',
        next: '2026-03-28T03:00:00+01:00',
        lastUpdated: '0001-01-01T00:00:00+00:00',
      },
    },
    {
      isPastDue: false,
      schedule,
      scheduleStatus: {
        last: '2026-03-28T03:00:00+01:00',
        next: '2026-03-29T03:00:00+02:00',
        lastUpdated: '2026-03-28T03:00:00+01:00',
      },
    },
  ]);
  expect(ticks.atStart).toEqual([{ isPastDue: false, schedule, scheduleStatus: null }]);
});

test('runs missed while the host was down become one at the start, marked past due', async () => {
  const dataDir = dataDirectory();
  const first = await start(new ManualClock('2026-05-01T10:00:00Z'), {}, dataDir);
  await first.host.stop();
  const clock = new ManualClock('2026-05-04T10:00:00Z');
  const second = await start(clock, {}, dataDir);
  expect(ticks.daily).toMatchObject([{ isPastDue: true, scheduleStatus: { next: '2026-05-02T03:00:00+00:00' } }]);
  await second.host.stop();
  // An occurrence that has been served is not served again, whatever happened since.
  await start(new ManualClock('2026-05-04T10:00:01Z'), {}, dataDir);
  expect(ticks.daily).toHaveLength(1);
});

test('a timer with another schedule than before owes nothing for the time that it was down', async () => {
  const dataDir = dataDirectory();
  const first = await start(new ManualClock('2026-05-01T10:00:00Z'), { EVERY: '0 0 11 * * *' }, dataDir);
  await first.host.stop();
  const often = vi.fn();
  ticks.often = often;
  const clock = new ManualClock('2026-05-01T13:00:00Z');
  await start(clock, { EVERY: '0 0 12 * * *' }, dataDir);
  expect(often).not.toHaveBeenCalled();
  await clock.advance('2026-05-02T12:00:00Z');
  expect(often).toHaveBeenCalledOnce();
});

test('a second host on the state of the first is refused, so no occurrence is served twice', async () => {
  const dataDir = dataDirectory();
  await start(new ManualClock('2026-05-01T10:00:00Z'), {}, dataDir);
  await expect(start(new ManualClock('2026-05-01T10:00:00Z'), {}, dataDir)).rejects.toThrow(
    `${join(dataDir, 'host.sqlite')} is in use by another host`,
  );
});

test('a failed timer is retried as its policy says, growing to the longest interval, and is told so', async () => {
  const clock = new ManualClock('2026-05-01T12:00:00Z');
  const seen: unknown[] = [];
  ticks.retried = ({ retryContext }: InvocationContext) => {
    seen.push([new Date(clock.now()).toISOString().slice(14, 19), retryContext]);
    throw new Error(`no. ${seen.length}`);
  };
  const { lines } = await start(clock);
  await clock.advance('2026-05-01T13:00:00Z');
  const told = (retryCount: number, message: string) => ({ retryCount, maxRetryCount: 3, exception: { message } });
  expect(seen).toEqual([
    ['30:00', { retryCount: 0, maxRetryCount: 3 }],
    ['30:10', told(1, 'no. 1')],
    ['30:25', told(2, 'no. 2')],
    ['30:40', told(3, 'no. 3')],
  ]);
  const failures = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ level }) => level === 'error');
  expect(failures.map(({ retriedAfterMs }) => retriedAfterMs)).toEqual([10_000, 15_000, 15_000, undefined]);
});

test('a run that the host stopped between two attempts is past due when it starts again', async () => {
  const dataDir = dataDirectory();
  const runs: boolean[] = [];
  ticks.retried = (_context: InvocationContext, { isPastDue }: Timer) => {
    runs.push(isPastDue);
    if (runs.length === 1) throw new Error('not yet');
  };
  const clock = new ManualClock('2026-05-01T12:00:00Z');
  const { host } = await start(clock, {}, dataDir);
  await clock.advance('2026-05-01T12:30:05Z');
  await host.stop();
  await start(new ManualClock('2026-05-01T12:31:00Z'), {}, dataDir);
  expect(runs).toEqual([false, true]);
});

test.each([
  ['every now and then', 'Function "often": the schedule "every now and then" needs five or six fields'],
  ['61 * * * * *', 'Function "often": the schedule "61 * * * * *" is not understood'],
  ['0 0 0 30 2 *', 'Function "often": the schedule "0 0 0 30 2 *" has no next run'],
  ['00:00:00', 'Function "often": the schedule "00:00:00" must be a time span longer than nothing'],
])('the schedule "%s" keeps its function from running, and only that', async (schedule, reason) => {
  const { host } = await start(new ManualClock('2026-05-01T10:00:00Z'), { EVERY: schedule });
  expect(host.loadErrors).toEqual([{ function: 'often', reason: expect.stringContaining(reason) }]);
});

test('a time zone that Windows alone knows is refused with the way out', async () => {
  const settings = { WEBSITE_TIME_ZONE: 'W. Europe Standard Time' };
  await expect(start(new ManualClock('2026-05-01T10:00:00Z'), settings)).rejects.toThrow(
    'The setting WEBSITE_TIME_ZONE, "W. Europe Standard Time", is no time zone. Write an IANA name',
  );
});
