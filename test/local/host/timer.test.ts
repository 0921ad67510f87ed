import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startHost } from '../../../local/host/startHost.ts';
import { HostState } from '../../../local/host/state.ts';
import { ticks } from './fixtures/timers/ticks.ts';

const start = async (every: string, dataDir?: string) => {
  const appDirectory = join(import.meta.dirname, 'fixtures/timers');
  const host = await startHost({ appDirectory, settings: { EVERY: every }, ...(dataDir !== undefined && { dataDir }) });
  onTestFinished(() => host.stop());
  return host;
};

test('a timer with seconds runs on them, and a slow run is not overtaken by the next', async () => {
  ticks.takes = 1200;
  await start('*/1 * * * * *');
  await vi.waitFor(() => expect(ticks.seconds.length).toBeGreaterThanOrEqual(2), { timeout: 6000, interval: 20 });
  expect(ticks.most).toBe(1);
  for (const time of ticks.seconds) expect(time % 1000).toBeLessThan(500);
  expect(ticks.daily).toEqual([]);
});

test('a run missed while the host was down happens at the start, marked past due, and once', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'host-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const state = new HostState(join(dataDir, 'host.sqlite'));
  await state.set('timer.daily', { last: '2020-01-01T03:00:00Z', next: '2020-01-02T03:00:00Z' });
  state.close();
  const host = await start('0 0 4 * * *', dataDir);
  await vi.waitFor(() => expect(ticks.daily).toHaveLength(1), { timeout: 5000, interval: 5 });
  expect(ticks.daily[0]).toMatchObject({
    isPastDue: true,
    scheduleStatus: { next: expect.stringContaining('T03:00:00') },
  });
  await host.stop();
  await start('0 0 4 * * *', dataDir);
  expect(ticks.daily).toHaveLength(1);
});

test('a schedule that is no schedule is a load error of its function', async () => {
  const reason = expect.stringContaining('Function "everySecond": the schedule "every now and then"');
  expect((await start('every now and then')).loadErrors).toEqual([{ function: 'everySecond', reason }]);
  expect((await start('61 * * * * *')).loadErrors).toMatchObject([{ function: 'everySecond' }]);
});
