import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { type RunningHost, startHost } from '../../../local/host/startHost.ts';
import { app, imported } from './temporaryApp.ts';

const names = ['SOUGHT', 'GIVEN', 'OPEN', 'Nested__inner'] as const;
afterEach(() => {
  for (const name of names) delete process.env[name];
});

const main = `${imported}app.get('env', { route: '%Nested:inner%/env', handler: () => ({
  jsonBody: ${JSON.stringify(names)}.map((name) => process.env[name] ?? null),
}) });`;

function appWith(localSettings: unknown): string {
  const directory = app(main);
  const text = typeof localSettings === 'string' ? localSettings : JSON.stringify(localSettings);
  writeFileSync(join(directory, 'local.settings.json'), text);
  return directory;
}

async function start(
  appDirectory: string,
  options: Partial<Parameters<typeof startHost>[0]> = {},
): Promise<RunningHost> {
  const host = await startHost({ appDirectory, settings: {}, ...options });
  onTestFinished(() => host.stop());
  return host;
}

test('local.settings.json fills what the environment leaves open, and what is given explicitly wins over both', async () => {
  process.env['SOUGHT'] = 'environment';
  const Values = { SOUGHT: 'file', GIVEN: 'file', OPEN: 7, Nested__inner: 'in' };
  const directory = appWith(`// comment\n${JSON.stringify({ IsEncrypted: false, Values })}`);
  const host = await start(directory, { settings: { GIVEN: 'explicit' } });
  const seen = async (running: RunningHost) => (await fetch(`${running.endpoint}/api/in/env`)).json();
  expect(await seen(host)).toEqual(['environment', 'explicit', '7', 'in']);
  writeFileSync(join(directory, 'local.settings.json'), JSON.stringify({ Values: { ...Values, OPEN: 'changed' } }));
  expect(await seen(await start(directory))).toEqual(['environment', 'explicit', 'changed', 'in']);
  rmSync(join(directory, 'local.settings.json'));
  await expect(start(directory)).resolves.toBeDefined();
});

test('its port and CORS are used, and only the origins that it names may read answers', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => probe.once('listening', listening));
  const { port: LocalHttpPort } = probe.address() as { port: number };
  await new Promise((closed) => probe.close(closed));
  const Host = { LocalHttpPort, CORS: 'http://a.example, http://b.example/', CORSCredentials: true };
  const host = await start(appWith({ Values: { Nested__inner: 'in' }, Host }));
  expect(host.endpoint).toBe(`http://127.0.0.1:${LocalHttpPort}`);
  const ask = (origin: string, method = 'GET', headers: Record<string, string> = {}) =>
    fetch(`${host.endpoint}/api/in/env`, { method, headers: { origin, ...headers } });
  const preflight = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-mine' };
  const allowed = await ask('http://b.example', 'OPTIONS', preflight);
  expect([allowed.status, Object.fromEntries(allowed.headers)]).toMatchObject([
    204,
    {
      'access-control-allow-origin': 'http://b.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'x-mine',
      vary: 'Origin',
    },
  ]);
  const refused = await ask('http://c.example', 'OPTIONS', preflight);
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([204, null]);
  expect((await ask('http://a.example')).headers.get('access-control-allow-origin')).toBe('http://a.example');
  expect((await ask('http://c.example')).headers.get('access-control-allow-origin')).toBeNull();
  const any = await start(appWith({ Values: { Nested__inner: 'in' }, Host: { CORS: '*' } }));
  const answer = await fetch(`${any.endpoint}/nowhere`, { headers: { origin: 'http://c.example' } });
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([404, '*']);
});

test('a file that cannot be used is told with its name, the member and what to write', async () => {
  const refused = (content: unknown) => expect(start(appWith(content))).rejects;
  await refused('{').toThrow(/local\.settings\.json cannot be read/);
  await refused({ IsEncrypted: true }).toThrow(
    /local\.settings\.json is not valid\. IsEncrypted: true cannot be read, decrypt the file with "func settings decrypt"/,
  );
  await refused({ Values: { A: { b: 1 } } }).toThrow('Values.A: {"b":1} is wrong, write text');
  await refused({ Host: { LocalHttpPort: 'x' } }).toThrow('Host.LocalHttpPort: "x" is wrong, write a port number');
  await refused({ Host: { CORS: '*', CORSCredentials: true } }).toThrow(
    'Host.CORSCredentials: true does not go with CORS "*"',
  );
});

test('a host that is told so leaves the file alone', async () => {
  const directory = appWith({ IsEncrypted: true, Values: { OPEN: 'file' } });
  await start(directory, { localSettings: false, settings: { Nested__inner: 'in' } });
  expect(process.env['OPEN']).toBeUndefined();
});
