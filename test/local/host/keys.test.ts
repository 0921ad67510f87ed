import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type RunningHost, startHost } from '../../../local/host/startHost.ts';
import { temporaryDirectory } from '../servicebus/harness.ts';

async function start(dataDir?: string, settings: Record<string, string> = {}): Promise<RunningHost> {
  const host = await startHost({
    appDirectory: join(import.meta.dirname, 'fixtures/web'),
    settings: { WHERE: 'there', FUNCTIONS_KEY: '', ...settings },
    ...(dataDir !== undefined && { dataDir }),
  });
  onTestFinished(() => host.stop());
  return host;
}

const opens = async (host: RunningHost, name: string, key: string) =>
  (await fetch(`${host.endpoint}/v1/${name}`, { headers: { 'x-functions-key': key } })).status === 200;

async function admin(host: RunningHost, method: string, path: string, body?: unknown, key = host.masterKey) {
  const response = await fetch(`${host.endpoint}/admin/${path}`, {
    method,
    headers: { 'x-functions-key': key, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as { value?: string; keys?: unknown } };
}

const made = async (host: RunningHost, path: string) => (await admin(host, 'POST', path)).body.value ?? '';

test('a function key opens its function, a host key every function, the master key also what is for administrators', async () => {
  const host = await start();
  const own = await made(host, 'functions/locked/keys/mine');
  const shared = await made(host, 'host/keys/default');
  const whatOpens = async (key: string) => [
    await opens(host, 'locked', key),
    await opens(host, 'alsoLocked', key),
    await opens(host, 'ruled', key),
  ];
  expect(await whatOpens(own)).toEqual([true, false, false]);
  expect(await whatOpens(shared)).toEqual([true, true, false]);
  expect(await whatOpens(host.masterKey)).toEqual([true, true, true]);
  expect(await whatOpens('wrong')).toEqual([false, false, false]);
  for (const key of [own, shared, 'wrong', ''])
    expect((await admin(host, 'GET', 'host/keys', undefined, key)).status).toBe(401);
});

test('a key that is rotated stops at once, and the new one opens also after a restart, with no key in clear in the state', async () => {
  const dataDir = temporaryDirectory();
  const first = await start(dataDir);
  const before = await made(first, 'functions/Locked/keys/default');
  const after = await made(first, 'functions/locked/keys/DEFAULT');
  const chosen = 'a value that somebody chose';
  expect(await admin(first, 'PUT', 'host/keys/ci', { name: 'ci', value: chosen })).toMatchObject({
    status: 201,
    body: { name: 'ci', value: chosen },
  });
  expect(await opens(first, 'locked', before)).toBe(false);
  const url = first.eventGridUrl('any');
  await first.stop();

  const second = await start(dataDir);
  expect([await opens(second, 'locked', after), await opens(second, 'locked', chosen)]).toEqual([true, true]);
  expect(await opens(second, 'locked', before)).toBe(false);
  expect(second.masterKey).toBe(first.masterKey);
  expect(second.eventGridUrl('any').split('?')[1]).toBe(url.split('?')[1]);
  expect((await admin(second, 'GET', 'functions/locked/keys')).body).toEqual({ keys: [{ name: 'default' }] });
  expect((await admin(second, 'DELETE', 'host/keys/ci')).status).toBe(204);
  expect((await admin(second, 'DELETE', 'host/keys/ci')).status).toBe(404);
  expect(await opens(second, 'locked', chosen)).toBe(false);

  expect(statSync(join(dataDir, 'host.key')).mode & 0o777).toBe(0o600);
  const files = readdirSync(dataDir).filter((file) => file !== 'host.key');
  const stored = Buffer.concat(files.map((file) => readFileSync(join(dataDir, file)))).toString('latin1');
  expect(stored).toContain('keys.function.locked');
  const system = new URL(url).searchParams.get('code') ?? '';
  for (const key of [after, before, chosen, system, second.masterKey]) expect(stored).not.toContain(key);
});

test('system keys and the master key are rotated too, and URLs that the host hands out follow', async () => {
  const dataDir = temporaryDirectory();
  const host = await start(dataDir);
  const code = () => new URL(host.eventGridUrl('any')).searchParams.get('code') ?? '';
  const old = code();
  const rotated = await made(host, 'host/systemkeys/eventgrid_extension');
  expect([code(), rotated === old]).toEqual([rotated, false]);
  const deliver = async (key: string) =>
    (await fetch(`${host.endpoint}/runtime/webhooks/eventgrid?functionName=none&code=${key}`)).status;
  expect([await deliver(old), await deliver(rotated), await deliver(host.masterKey)]).toEqual([401, 404, 404]);
  const refused = await admin(host, 'PUT', 'host/systemkeys/durabletask_extension', { value: 'mine' });
  expect(refused.status).toBe(409);
  expect((await admin(host, 'GET', 'host/systemkeys')).body).toEqual({
    keys: [{ name: 'durabletask_extension' }, { name: 'eventgrid_extension' }],
  });
  const former = host.masterKey;
  const master = await made(host, 'host/systemkeys/_master');
  expect((await admin(host, 'GET', 'host/keys', undefined, former)).status).toBe(401);
  expect(await opens(host, 'ruled', master)).toBe(true);
  await host.stop();
  const again = await start(dataDir);
  expect([again.masterKey, new URL(again.eventGridUrl('any')).searchParams.get('code')]).toEqual([master, rotated]);
});

test('a master key from FUNCTIONS_KEY is used as it is, and is not changed by a call', async () => {
  const host = await start(undefined, { FUNCTIONS_KEY: 'from the operator' });
  onTestFinished(() => void delete process.env['FUNCTIONS_KEY']);
  expect(host.masterKey).toBe('from the operator');
  expect(await opens(host, 'ruled', 'from the operator')).toBe(true);
  expect((await admin(host, 'POST', 'host/systemkeys/_master')).status).toBe(409);
});

test('the administration API tells status and functions, and refuses what it cannot read', async () => {
  const host = await start();
  expect((await admin(host, 'GET', 'host/status')).body).toEqual({ state: 'Running', errors: [] });
  const functions = (await admin(host, 'GET', 'functions')).body as unknown as { name: string }[];
  expect(functions.find(({ name }) => name === 'locked')).toMatchObject({
    config: {
      bindings: expect.arrayContaining([expect.objectContaining({ type: 'httpTrigger', authLevel: 'function' })]),
    },
  });
  const put = (headers: Record<string, string>, body: string) =>
    fetch(`${host.endpoint}/admin/host/keys/x`, {
      method: 'PUT',
      headers: { 'x-functions-key': host.masterKey, ...headers },
      body,
    });
  const json = { 'content-type': 'application/json' };
  const refusals = await Promise.all([
    put({ 'content-type': 'text/plain' }, '{"value":"v"}'),
    put({ ...json, 'content-encoding': 'br' }, '{"value":"v"}'),
    put(json, '{"value":7}'),
    put(json, ' '.repeat(70_000)),
    fetch(`${host.endpoint}/admin/functions/unknown/keys?code=${host.masterKey}`),
    fetch(`${host.endpoint}/admin/host/keys?code=${host.masterKey}`, { method: 'DELETE' }),
  ]);
  expect(refusals.map(({ status }) => status)).toEqual([415, 415, 400, 413, 404, 405]);
  for (const refusal of refusals) expect(refusal.headers.get('content-type')).toBe('application/problem+json');
  expect((await admin(host, 'POST', 'host/keys/_mine')).status).toBe(400);
});
