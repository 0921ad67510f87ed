import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { app, imported } from './temporaryApp.ts';

const careless = `${imported}app.get('late', () => { setImmediate(() => Promise.reject(new Error('nobody waits'))); return { body: 'ok' }; });
app.get('timer', () => {
  setImmediate(() => { throw new TypeError('nobody catches'); });
  return { body: 'ok' };
});
app.get('odd', () => { setImmediate(() => Promise.reject({ code: 7 })); return { body: 'ok' }; });
app.get('ours', () => {
  const error = new Error('our own mistake');
  error.stack = 'Error: our own mistake\\n    at commit (${new URL('../../../local/sqlite.ts', import.meta.url).href}:1:1)';
  setImmediate(() => Promise.reject(error));
  return { body: 'ok' };
});
app.get('well', () => ({ body: 'well' }));`;

/** A host in a process of its own. */
async function start() {
  const child: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL('./child.ts', import.meta.url)), app(careless)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => lines.push(line));
  const [endpoint] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  const get = async (path: string) => (await fetch(`${endpoint}/api/${path}`)).text();
  return { child, lines, get };
}

test('what the app throws outside of its invocations is told with its place, and the host goes on', async () => {
  const { child, lines, get } = await start();
  for (const path of ['late', 'timer', 'odd']) expect(await get(path)).toBe('ok');
  const told = () =>
    lines
      .filter((line) => line.includes('nobody caught'))
      .map((line) => (JSON.parse(line) as { message: string }).message);
  await expect
    .poll(told, { timeout: 10_000 })
    .toEqual([
      'an error that nobody caught: nobody waits (app/main.mjs:2)',
      'an error that nobody caught: nobody catches (app/main.mjs:4)',
      'an error that nobody caught: { code: 7 }',
    ]);
  expect(await get('well')).toBe('well');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('what the local Azure itself throws ends it, as what it promised may no longer hold', async () => {
  const { child, lines, get } = await start();
  const exit = once(child, 'exit');
  await get('ours').catch(() => {});
  expect((await exit)[0]).not.toBe(0);
  await expect.poll(() => lines.join('\n'), { timeout: 10_000 }).toContain('our own mistake');
});
