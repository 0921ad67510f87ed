import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startHost } from '../../../local/host/startHost.ts';
import { app, imported } from './temporaryApp.ts';

const busy = `${imported}import * as df from 'durable-functions';
app.setup({ enableHttpStream: true });
const work = globalThis.work = { begun: [], ended: [], release: undefined };
const released = new Promise((resolve) => { work.release = resolve; });
const during = async (what) => { work.begun.push(what); await released; work.ended.push(what); };
app.get('stream', () => ({ body: (async function* () { yield 'a'; await during('stream'); yield 'b'; })() }));
app.get('ends', { handler: () => during('request') });
app.timer('tick', { schedule: '0 0 0 1 1 *', runOnStartup: true, handler: () => during('timer') });
df.app.activity('act', { handler: () => during('activity').then(() => 'done') });
df.app.orchestration('orchestrate', function* (context) { return yield context.df.callActivity('act'); });`;

interface Work {
  begun: string[];
  ended: string[];
  release(): void;
}
const kinds = ['activity', 'request', 'stream', 'timer'];

test('a stop lets everything end that has begun, and takes nothing new', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'host-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const appDirectory = app(busy);
  const host = await startHost({ appDirectory, settings: {}, dataDir });
  const { work } = globalThis as unknown as { work: Work };
  await host.durable.start('orchestrate', { instanceId: 'o' });
  const stream = fetch(`${host.endpoint}/api/stream`).then((response) => response.text());
  const request = fetch(`${host.endpoint}/api/ends`);
  await expect.poll(() => work.begun.toSorted(), { timeout: 10_000 }).toEqual(kinds);
  let hasStopped = false;
  const stopped = host.stop().then(() => {
    hasStopped = true;
  });
  expect((await fetch(`${host.endpoint}/api/ends`)).status).toBe(503);
  const delivery = { method: 'POST', body: '[]', headers: { 'content-type': 'application/json' } };
  expect((await fetch(host.eventGridUrl('tick'), delivery)).status).toBe(503);
  expect([hasStopped, work.ended]).toEqual([false, []]);
  work.release();
  expect(await stream).toBe('ab');
  expect((await request).status).toBe(204);
  await stopped;
  expect(work.ended.toSorted()).toEqual(kinds);

  const again = await startHost({ appDirectory, settings: {}, dataDir });
  onTestFinished(() => again.stop());
  expect(await again.durable.whenEnded('o')).toMatchObject({ output: 'done' });
  expect(work.begun.filter((what) => what === 'activity')).toHaveLength(1);
});

test('a stop waits for what does not end only as long as it may, and says so', async () => {
  const never = `${imported}app.get('never', () => new Promise(() => {}));`;
  const lines: string[] = [];
  const host = await startHost({
    ...{ appDirectory: app(never), settings: {}, drainMilliseconds: 30 },
    log: (line) => lines.push(line),
  });
  const cut = expect(fetch(`${host.endpoint}/api/never`)).rejects.toThrow();
  await expect.poll(() => lines.join(), { timeout: 10_000 }).toContain("Executing 'Functions.never'");
  await host.stop();
  await cut;
  const warnings = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'warning');
  expect(warnings).toMatchObject([{ message: 'stopped, although invocations still ran after 30 ms: 1' }]);
});
