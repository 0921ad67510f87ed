import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { watchApp } from '../../../local/host/watch.ts';

function watched() {
  const root = mkdtempSync(join(tmpdir(), 'watch-'));
  const at = (path: string) => join(root, path);
  for (const folder of ['app/src', 'app/node_modules/x', 'app/.git', 'app/dist', 'app/data', 'shared'])
    mkdirSync(at(folder), { recursive: true });
  const changed = vi.fn();
  const end = watchApp(
    { appDirectory: at('app'), ignored: [at('app/data')], watchDirectories: ['../shared'], watchFiles: ['query.sql'] },
    changed,
  );
  onTestFinished(() => {
    end();
    rmSync(root, { recursive: true });
  });
  /** Resolves when the change was noticed. */
  const noticed = async (change: () => void) => {
    changed.mockClear();
    change();
    await expect.poll(() => changed.mock.calls.length, { timeout: 10_000, interval: 2 }).toBeGreaterThan(0);
  };
  const write = (path: string) => writeFileSync(at(path), '1');
  return { at, write, noticed, changed };
}

test('code, JSON, host.json and what it names are watched, also in folders that come later or come again', async () => {
  const { at, write, noticed } = watched();
  for (const file of [
    'app/main.mjs',
    'app/src/a.ts',
    'app/host.json',
    'app/local.settings.json',
    'app/query.sql',
    'shared/b.js',
  ])
    await noticed(() => write(file));
  await noticed(() => mkdirSync(at('app/new')));
  await noticed(() => write('app/new/c.ts'));
  await noticed(() => renameSync(at('app/new'), at('app/renamed')));
  await noticed(() => write('app/renamed/c.ts'));
  await noticed(() => rmSync(at('app/src'), { recursive: true }));
  await noticed(() => mkdirSync(at('app/src')));
  await noticed(() => write('app/src/a.ts'));
});

test('packages, builds, data, hidden folders and other files are not', async () => {
  const { at, write, noticed, changed } = watched();
  for (const file of [
    'app/node_modules/x/i.js',
    'app/.git/x.json',
    'app/dist/x.js',
    'app/data/x.json',
    'app/notes.md',
    'shared/notes.md',
  ])
    write(file);
  // Events come in order: what was to be noticed of the files before would be here.
  await noticed(() => renameSync(at('app/notes.md'), at('app/notes.json')));
  expect(changed).toHaveBeenCalledTimes(1);
});
