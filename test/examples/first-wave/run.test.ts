// The driver from outside, as far as that is cheap: the whole run is `npm start`, and test/scenarios runs waves.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshFolder } from '../../../examples/first-wave/folder.ts';
import { readOptions } from '../../../examples/first-wave/options.ts';
import { repository, running, startProgram, startTimeOf } from '../../../examples/harness/processes.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'landfall-run-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a run’s folder', () => {
  it('is never made of files that no run has made', async () => {
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    await expect(freshFolder(folder)).rejects.toThrow('choose another folder');
    expect(readFileSync(join(folder, 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  it('is never taken from a run that is going on', async () => {
    await freshFolder(folder);
    await expect(freshFolder(folder)).rejects.toThrow(`in use by the run with pid ${process.pid}`);
  });

  it('is emptied of what an earlier run left, processes included', async () => {
    await freshFolder(folder);
    writeFileSync(join(folder, 'idle.mjs'), 'setInterval(() => {}, 1000);');
    const child = startProgram(folder, { name: 'idle', args: [join(folder, 'idle.mjs')] });
    child.unref();
    expect(running(folder).map(({ pid }) => pid)).toEqual([child.pid]);
    // As if that run's driver had been killed.
    writeFileSync(join(folder, 'landfall-run.json'), JSON.stringify({ driver: process.pid, startTime: '1' }));
    await freshFolder(folder);
    expect(startTimeOf(child.pid ?? 0)).toBeUndefined();
    expect(existsSync(join(folder, 'idle.mjs'))).toBe(false);
  });
});

describe('the command line', () => {
  it('chooses the view: live on a terminal, plain elsewhere, JSON for machines', () => {
    const view = (args: string[], terminal: boolean) => readOptions(args, terminal);
    expect(view([], true)).toMatchObject({ view: 'live', keep: false });
    expect(view([], false)).toMatchObject({ view: 'plain' });
    expect(view(['--plain'], true)).toMatchObject({ view: 'plain' });
    expect(view(['--json', '--keep', 'my.yaml'], true)).toMatchObject({ view: 'json', keep: true });
  });

  it('is refused with the reason and the usage when it is wrong', () => {
    const main = join(repository, 'examples', 'first-wave', 'run.ts');
    const { status, stderr } = spawnSync(process.execPath, [main, '--within', 'soon'], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('--within takes a number of seconds, not "soon"')]);
  });
});
