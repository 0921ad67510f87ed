import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { changeServices, stateOf } from '../../../appliance/commands/services.ts';
import { Source } from '../../../shared/model/source.ts';
import { source } from '../../fakes/definitions.ts';

const times = { commandMs: 5000, statusMs: 5000, settleMs: 1000 };
let folder: string;
let path: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'units-'));
  // A stand-in for systemctl that keeps one unit in two files, and prints what the real one prints.
  const standIn = `#!/bin/sh
cd ${folder}
case "$1" in
show) cat shown ;;
is-enabled) cat enabled; grep -q '^enabled' enabled ;;
start) printf 'LoadState=loaded\\nActiveState=active\\n' >shown ;;
stop) printf 'LoadState=loaded\\nActiveState=inactive\\n' >shown ;;
enable) echo enabled >enabled ;;
disable) echo disabled >enabled ;;
esac
echo "$*" >>asked
`;
  writeFileSync(join(folder, 'systemctl'), standIn);
  chmodSync(join(folder, 'systemctl'), 0o755);
  path = process.env['PATH'];
  process.env['PATH'] = `${folder}:${path}`;
});
afterEach(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

const unit = (written: object = { systemd: 'web@1.service' }) =>
  Source.parse({ ...source('db-01'), services: [{ name: 'web', ...written }] }).services[0]!;
const shows = (active: string, enabled = 'enabled', load = 'loaded'): void => {
  writeFileSync(join(folder, 'shown'), `LoadState=${load}\nActiveState=${active}\n`);
  writeFileSync(join(folder, 'enabled'), `${enabled}\n`);
};

it('a service that names its unit is stopped, kept from starting, and put back as it was', async () => {
  shows('active');
  const service = unit();
  expect(await stateOf(service, times)).toMatchObject({ state: 'running', startMode: 'automatic' });
  const stopped = await changeServices([service], 'stopped', times);
  expect(stopped).toMatchObject({ services: [{ name: 'web', state: 'stopped', startMode: 'manual' }] });
  const before = { state: 'running' as const, startMode: 'automatic' as const };
  const started = await changeServices([{ ...service, before }], 'running', times);
  expect(started).toMatchObject({ services: [{ name: 'web', state: 'running', startMode: 'automatic' }] });
  const asked = readFileSync(join(folder, 'asked'), 'utf8')
    .split('\n')
    .filter((line) => !/^(show|is-enabled)/.test(line));
  expect(asked.slice(0, 4)).toEqual([
    'disable web@1.service',
    'stop web@1.service',
    'enable web@1.service',
    'start web@1.service',
  ]);
});

it.each([
  ['active', 'running'],
  ['reloading', 'running'],
  ['activating', 'running'],
  ['deactivating', 'running'],
  ['inactive', 'stopped'],
  ['failed', 'stopped'],
  ['maintenance', 'unknown'],
])('a unit that is %s is %s', async (active, state) => {
  shows(active);
  expect(await stateOf(unit(), times)).toMatchObject({ state });
});

it.each([
  ['enabled', 'automatic'],
  ['disabled', 'manual'],
  ['static', 'manual'],
  ['masked', 'manual'],
  ['bad', 'unknown'],
])('a unit that is %s starts %s', async (enabled, startMode) => {
  shows('active', enabled);
  expect(await stateOf(unit(), times)).toMatchObject({ startMode });
});

it('a unit that is not there is neither stopped nor running', async () => {
  shows('inactive', '', 'not-found');
  expect(await stateOf(unit(), times)).toMatchObject({
    state: 'unknown',
    detail: expect.stringContaining('there is no unit web@1.service'),
  });
});

it('what is written beside the unit counts, and what is no unit is said with its value', () => {
  expect(unit({ systemd: 'web.service', stop: ['/opt/web/stop'] })).toMatchObject({
    start: ['systemctl', 'start', 'web.service'],
    stop: ['/opt/web/stop'],
  });
  for (const systemd of ['web', '-f.service', 'a b.service', '$(x).service', 7])
    expect(() => unit({ systemd })).toThrow(/is no name of a unit: write it whole/);
});

it('the shell takes the scripts as they are written', () => {
  for (const [program, flag, script] of [unit().status, unit().startMode!.show])
    expect(spawnSync(program!, ['-n', flag!, script!]).stderr.toString()).toBe('');
});
