import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../../appliance/commands/run.ts';
import { changeServices, stateOf } from '../../../appliance/commands/services.ts';
import type { SourceService } from '../../../shared/model/source.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'services-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const times = { commandMs: 5000, statusMs: 5000, settleMs: 1000 };
const sh = (script: string): string[] => ['/bin/sh', '-c', script];

/** A service that runs while its file exists. */
function service(name: string, over: Partial<SourceService> = {}): SourceService {
  const file = join(folder, name);
  const journal = join(folder, 'journal');
  return {
    name,
    dependsOn: [],
    start: sh(`echo start-${name} >> ${journal}; touch ${file}`),
    stop: sh(`echo stop-${name} >> ${journal}; rm ${file}`),
    status: sh(`test -e ${file} || exit 3`),
    ...over,
  };
}

/** The commands of a service whose start mode is what its file says. */
function startMode(name: string): NonNullable<SourceService['startMode']> {
  const file = join(folder, `${name}.mode`);
  const set = (mode: string) => sh(`echo mode-${name} >> ${join(folder, 'journal')}; echo ${mode} > ${file}`);
  return { show: ['cat', file], automatic: set('automatic'), manual: set('manual') };
}
const journal = () => readFileSync(join(folder, 'journal'), 'utf8').trim().split('\n');

it('stops services in the order given and verifies each', async () => {
  for (const name of ['db', 'web']) writeFileSync(join(folder, name), '');
  const outcome = await changeServices([service('web'), service('db')], 'stopped', times);
  expect(outcome).toEqual({
    services: [
      { name: 'web', state: 'stopped', detail: '' },
      { name: 'db', state: 'stopped', detail: '' },
    ],
  });
  expect((await run(['cat', join(folder, 'journal')], 1000)).output).toBe('stop-web\nstop-db\n');
  await changeServices([service('db'), service('web')], 'running', times);
  expect((await stateOf(service('web'))).state).toBe('running');
});

it('a service that is already there is not commanded again', async () => {
  await changeServices([service('web')], 'stopped', times);
  expect(existsSync(join(folder, 'journal'))).toBe(false);
});

it('names the service that refuses, and leaves those after it alone', async () => {
  for (const name of ['db', 'web']) writeFileSync(join(folder, name), '');
  const stubborn = service('web', { stop: sh('echo busy >&2; exit 1') });
  const outcome = await changeServices([stubborn, service('db')], 'stopped', times);
  expect(outcome).toMatchObject({
    services: [{ name: 'web', state: 'running', detail: '1: busy' }],
    failure: { code: 'serviceRefused', message: expect.stringContaining('web') as string },
  });
  expect(existsSync(join(folder, 'db'))).toBe(true);
});

it('a stop that says yes and does nothing is not believed', async () => {
  writeFileSync(join(folder, 'web'), '');
  const liar = service('web', { stop: sh('exit 0') });
  const outcome = await changeServices([liar], 'stopped', { ...times, settleMs: 300 });
  expect(outcome).toMatchObject({ failure: { code: 'serviceRefused' } });
});

it('a status that is neither 0 nor 3 is unknown', async () => {
  const broken = service('web', { status: sh('echo what >&2; exit 4') });
  expect(await stateOf(broken)).toEqual({ name: 'web', state: 'unknown', detail: 'status: 4 what' });
  expect((await stateOf(service('web', { status: ['/does/not/exist'] }))).state).toBe('unknown');
});

it('a command that hangs is ended with everything that it started', async () => {
  const file = join(folder, 'late');
  const ran = await run(sh(`(sleep 1; touch ${file}) & sleep 30`), 100);
  expect(ran.exit).toBe('timeout');
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(existsSync(file)).toBe(false);
});

it('a service that keeps our pipes open does not hold the answer up', async () => {
  const began = Date.now();
  const ran = await run(sh('sleep 3 & echo up'), 10_000);
  expect(ran).toMatchObject({ exit: 0, output: 'up\n' });
  expect(Date.now() - began).toBeLessThan(2000);
});

it('arguments reach the program as they are, without a shell', async () => {
  expect((await run(['/bin/echo', '$HOME; ls *'], 1000)).output).toBe('$HOME; ls *\n');
});

describe('a service with a start mode', () => {
  const automatic = (name: string): SourceService => {
    writeFileSync(join(folder, name), '');
    writeFileSync(join(folder, `${name}.mode`), 'automatic\n');
    return service(name, { startMode: startMode(name) });
  };

  it('shows it, and one without shows none', async () => {
    expect(await stateOf(automatic('web'))).toEqual({
      ...{ name: 'web', state: 'running', startMode: 'automatic' },
      detail: '',
    });
    expect(await stateOf(service('web'))).not.toHaveProperty('startMode');
  });

  it('no longer starts by itself before it is stopped, and a second stop changes nothing', async () => {
    const web = automatic('web');
    const stopped = { name: 'web', state: 'stopped', startMode: 'manual', detail: '' };
    expect(await changeServices([web], 'stopped', times)).toEqual({ services: [stopped] });
    expect(await changeServices([web], 'stopped', times)).toEqual({ services: [stopped] });
    expect(journal()).toEqual(['mode-web', 'stop-web']);
  });

  it('is switched off also where it was stopped already', async () => {
    const web = automatic('web');
    rmSync(join(folder, 'web'));
    expect(await changeServices([web], 'stopped', times)).toMatchObject({ services: [{ startMode: 'manual' }] });
    expect(journal()).toEqual(['mode-web']);
  });

  it.each(['running', 'stopped'] as const)('that was %s is put back as it was, however often', async (state) => {
    const web = automatic('web');
    await changeServices([web], 'stopped', times);
    const before = { state, startMode: 'automatic' as const };
    for (let turn = 0; turn < 2; turn++)
      expect(await changeServices([{ ...web, before }], 'running', times)).toEqual({
        services: [{ name: 'web', state, startMode: 'automatic', detail: '' }],
      });
    const started = state === 'running' ? ['start-web'] : [];
    expect(journal()).toEqual(['mode-web', 'stop-web', 'mode-web', ...started]);
  });

  it('keeps its start mode where nothing is said about it', async () => {
    const web = automatic('web');
    await changeServices([web], 'stopped', times);
    expect(await changeServices([web], 'running', times)).toMatchObject({
      services: [{ state: 'running', startMode: 'manual' }],
    });
  });

  it.each([
    ['refuses', 'echo locked >&2; exit 1', '1: locked'],
    ['says yes and does nothing', 'exit 0', 'it is automatic'],
  ])('that cannot be set, for its command %s, is not stopped', async (_, script, why) => {
    const web = automatic('web');
    const stubborn = { ...web, startMode: { ...startMode('web'), manual: sh(script) } };
    expect(await changeServices([stubborn], 'stopped', times)).toMatchObject({
      services: [{ state: 'running', startMode: 'automatic', detail: why }],
      failure: { code: 'startModeRefused', message: expect.stringContaining('web') as string },
    });
  });

  it('that prints anything else is unknown', async () => {
    const odd = service('web', { startMode: { ...startMode('web'), show: ['echo', 'static'] } });
    expect(await stateOf(odd)).toMatchObject({ startMode: 'unknown', detail: 'start mode: 0 static' });
  });
});
