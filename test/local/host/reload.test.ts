import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Reloads } from '../../../local/host/reloads.ts';
import { startHost } from '../../../local/host/startHost.ts';
import { app, imported } from './temporaryApp.ts';

const greeter = {
  'app/main.mjs': `${imported}import * as df from 'durable-functions';
import { greeting } from '../greeting.mjs';
app.get('greet', () => ({ body: greeting }));
app.get('wait', async () => {
  await new Promise((resolve) => { globalThis.endWait = resolve; });
  return { body: greeting };
});
df.app.activity('greeting', { handler: () => greeting });
df.app.orchestration('patient', function* (context) {
  const before = yield context.df.callActivity('greeting');
  yield context.df.waitForExternalEvent('go');
  return [before, yield context.df.callActivity('greeting')];
});
app.hook.appTerminate(() => { globalThis.ended = greeting; });`,
  'greeting.mjs': "export const greeting = 'hello';",
};

// The library allows this before its first start only.
const withSetup = {
  ...greeter,
  'app/timer.mjs': `${imported}import { greeting } from '../greeting.mjs';
const ran = (globalThis.ran ??= []);
app.timer('tick', { schedule: '0 0 0 1 1 *', runOnStartup: true, handler: async () => {
  ran.push(greeting);
  await new Promise((resolve) => { globalThis.endTick = resolve; });
  ran.push('end of ' + greeting);
} });`,
  'greeting.mjs': `${imported}app.setup({ capabilities: { x: 'y' } });\nexport const greeting = 'hello';`,
};

const seen = globalThis as { endWait?: () => void; ended?: string; endTick?: () => void; ran?: string[] };

async function watched(files: Record<string, string> = greeter) {
  const lines: string[] = [];
  const appDirectory = app(files);
  const host = await startHost({ appDirectory, settings: {}, watch: true, log: (line) => lines.push(line) });
  onTestFinished(() => host.stop());
  /** Changes a file as careful editors do; answers what came of it. */
  const edit = async (file: string, text: string) => {
    const reloaded = host.nextReload();
    writeFileSync(join(appDirectory, `${file}~`), text);
    renameSync(join(appDirectory, `${file}~`), join(appDirectory, file));
    return await reloaded;
  };
  const get = async (path: string) => (await fetch(`${host.endpoint}/${path}`)).text();
  return { host, appDirectory, edit, get, lines };
}

test('an edited file takes effect, requests end in the code they began with, and orchestrations go on with the new', async () => {
  const { host, edit, get } = await watched(withSetup);
  await host.durable.start('patient', { instanceId: 'p' });
  const waiting = get('api/wait');
  await expect.poll(() => seen.endWait, { timeout: 10_000 }).toBeDefined();
  const edited = edit('greeting.mjs', withSetup['greeting.mjs'].replace('hello', 'welcome'));
  await expect.poll(() => get('api/greet'), { timeout: 10_000 }).toBe('welcome');
  expect(seen.ended).toBeUndefined();
  seen.endWait?.();
  expect(await waiting).toBe('hello');
  // A listener waits for its predecessor, so that nothing runs twice at once.
  expect(seen.ran).toEqual(['hello']);
  seen.endTick?.();
  expect(await edited).toEqual({ isAdopted: true, loadErrors: [] });
  expect(seen.ended).toBe('hello');
  await expect.poll(() => seen.ran, { timeout: 10_000 }).toEqual(['hello', 'end of hello', 'welcome']);
  seen.endTick?.();
  await host.durable.raiseEvent('p', 'go', null);
  expect(await host.durable.whenEnded('p')).toMatchObject({ output: ['hello', 'welcome'] });
});

test('a version that does not load changes nothing and is told; the next that loads takes over, host.json with it', async () => {
  const { host, appDirectory, edit, get, lines } = await watched();
  const file = join(appDirectory, 'app/main.mjs');
  const reason = "Unexpected token ';' (greeting.mjs)";
  expect(await edit('greeting.mjs', 'export const greeting = ;')).toMatchObject({ isAdopted: false });
  const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  expect(errors).toMatchObject([{ message: expect.stringContaining(`${file} failed: ${reason}`) }]);
  expect(await edit('host.json', '{')).toMatchObject({ reason: expect.stringContaining('host.json') });
  expect(await edit('host.json', '{ "version": "2.0" }')).toMatchObject({ isAdopted: false });
  expect(await get('api/greet')).toBe('hello');
  expect(await edit('greeting.mjs', "export const greeting = 'again';")).toMatchObject({ isAdopted: true });
  const hostJson = {
    version: '2.0',
    logging: { logLevel: { default: 'None' } },
    extensions: { http: { routePrefix: 'v2' } },
  };
  await edit('host.json', JSON.stringify(hostJson));
  const before = lines.length;
  expect(await get('v2/greet')).toBe('again');
  expect(lines).toHaveLength(before);
  expect(host.loadErrors).toEqual([]);
});

test('what failed from the start does not hold up changes of the rest, and is mended by its own change', async () => {
  const files = {
    'app/a.mjs': "throw new Error('not yet');",
    'app/b.cjs':
      "const { app } = require('@azure/functions');\nconst body = require('../b.cjs');\napp.get('b', () => ({ body }));",
    'b.cjs': "module.exports = 'one';",
    'package.json': JSON.stringify({ type: 'module', main: 'app/*.{mjs,cjs}' }),
  };
  const { host, edit, get } = await watched(files);
  expect(await edit('b.cjs', "module.exports = 'two';")).toMatchObject({
    isAdopted: true,
    loadErrors: [{ file: expect.stringMatching(/a\.mjs$/) }],
  });
  expect(await get('api/b')).toBe('two');
  await edit('app/a.mjs', `${imported}app.get('a', () => ({ body: 'a' }));`);
  expect(host.loadErrors).toEqual([]);
  expect(host.functionNames).toEqual(['a', 'b']);
});

test('a burst of changes is one reload when it is over, and a change during a reload is another', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const ends: (() => void)[] = [];
  const reloads = new Reloads(() => new Promise<number>((resolve) => ends.push(() => resolve(ends.length))));
  const first = reloads.next();
  for (const pause of [0, 50, 99, 20]) {
    await vi.advanceTimersByTimeAsync(pause);
    reloads.changed();
  }
  expect(ends).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(100);
  expect(ends).toHaveLength(1);
  reloads.changed();
  await vi.advanceTimersByTimeAsync(1000);
  expect(ends).toHaveLength(1);
  ends[0]?.();
  expect(await first).toBe(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(ends).toHaveLength(2);
});
