import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type RunningHost, startHost } from '../../../local/host/startHost.ts';
import { closeGate, gate } from './fixtures/web/gate.ts';
import { app, imported } from './temporaryApp.ts';

const soon = { timeout: 10_000, interval: 5 };

let host: RunningHost;
const lines: string[] = [];
beforeAll(async () => {
  host = await startHost({
    appDirectory: join(import.meta.dirname, 'fixtures/web'),
    settings: {
      WHERE: 'there',
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000',
      AzureFunctionsJobHost__logging__logLevel__default: 'Debug',
    },
    log: (line) => lines.push(line),
  });
});
afterAll(() => host.stop());

const call = (path: string, init?: RequestInit) => fetch(`${host.endpoint}/v1/${path}`, init);
const shown = async (path: string) =>
  (await (await call(path)).json()) as { params: object; query: object; url: string };

describe('routes', () => {
  test('the most specific template wins: a literal before a constraint before a name', async () => {
    const by = async (path: string) => (await call(path)).headers.get('by');
    expect([await by('things/new'), await by('things/17'), await by('things/17x')]).toEqual([
      'fixed',
      'number',
      'named',
    ]);
    expect((await shown('THINGS/17')).params).toEqual({ id: '17' });
  });

  test('optional and catch-all parameters may be absent, and values are decoded', async () => {
    expect((await shown('pages')).params).toEqual({});
    expect((await shown('pages/a%20b')).params).toEqual({ page: 'a b' });
    expect((await shown('files')).params).toEqual({});
    expect((await shown('files/a/b/c.txt?x=1&y=%C3%A9')).params).toEqual({ rest: 'a/b/c.txt' });
    expect((await shown('files/a?x=1&y=%C3%A9')).query).toEqual({ x: '1', y: 'é' });
  });

  test('settings are filled into templates, and the prefix comes from host.json', async () => {
    expect((await shown('there/here')).url).toBe(`${host.endpoint}/v1/there/here`);
    expect((await fetch(`${host.endpoint}/api/there/here`)).status).toBe(404);
  });
});

test('bodies, headers, status and cookies pass both ways', async () => {
  const bytes = Buffer.from([0, 255, 1, 254]);
  const response = await call('echo', {
    method: 'PUT',
    body: bytes,
    headers: { 'content-type': 'x/y', 'x-sent': 'yes' },
  });
  expect(response.status).toBe(201);
  expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  expect(response.headers.get('content-type')).toBe('x/y');
  expect(response.headers.get('x-seen')).toBe('yes');
  expect(response.headers.get('set-cookie')).toBe('c=a%20b; Max-Age=60; HttpOnly; SameSite=Lax');
  expect((await call('nothing', { method: 'DELETE' })).status).toBe(204);
});

test('hooks may replace the handler before and the result after an invocation', async () => {
  const { headers } = await call('things/any');
  expect([headers.get('hooked'), headers.get('also')]).toEqual(['before', 'after']);
});

describe('refusals are problem JSON', () => {
  const problem = async (response: Response) => {
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    return (await response.json()) as { status: number; detail: string };
  };

  test('404 for an unknown path, 405 with Allow for a wrong method', async () => {
    expect(await problem(await call('nowhere'))).toMatchObject({ status: 404 });
    const wrong = await call('things/17', { method: 'POST' });
    expect(wrong.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(await problem(wrong)).toMatchObject({ status: 405 });
  });

  test('413 for a body over the limit, declared or streamed', async () => {
    expect(await problem(await call('echo', { method: 'POST', body: 'x'.repeat(1001) }))).toMatchObject({
      status: 413,
    });
    const body = new Blob(['x'.repeat(600), 'x'.repeat(600)]).stream();
    const streamed = await call('echo', { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(await problem(streamed)).toMatchObject({ status: 413 });
  });

  test('500 without the details, which go into one log line', async () => {
    expect(JSON.stringify(await problem(await call('broken')))).not.toContain('secret detail');
    const failures = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ level }) => level === 'error');
    expect(failures).toEqual([
      expect.objectContaining({ source: 'broken', trigger: 'http', message: 'failed: secret detail' }),
    ]);
  });

  test('401 without the right key; header and query are both read', async () => {
    expect(await problem(await call('locked'))).toMatchObject({ status: 401 });
    expect((await call('locked?code=wrong')).status).toBe(401);
    expect((await call(`locked?code=${host.masterKey}`)).status).toBe(200);
    expect((await call('locked', { headers: { 'x-functions-key': host.masterKey } })).status).toBe(200);
  });
});

test('HEAD answers like GET without a body, OPTIONS names the methods', async () => {
  const head = await call('things/17', { method: 'HEAD' });
  expect([head.status, head.headers.get('by'), await head.text()]).toEqual([200, 'number', '']);
  const options = await call('things/17', { method: 'OPTIONS' });
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
});

describe('a client that behaves oddly', () => {
  const levels = () => lines.map((line) => (JSON.parse(line) as { level: string }).level);
  beforeEach(() => {
    lines.length = 0;
  });

  test('sends more than the limit without an end, and still reads the 413', async () => {
    const sent = request(`${host.endpoint}/v1/echo`, { method: 'POST' });
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      sent.once('response', resolve).once('error', reject),
    );
    for (let sum = 0; sum < 500_000; sum += 50_000) sent.write('x'.repeat(50_000));
    expect((await answered).statusCode).toBe(413);
    sent.end();
  });

  test('leaves while it sends: nothing is invoked, one debug line', async () => {
    const sent = request(`${host.endpoint}/v1/echo`, { method: 'POST', headers: { 'content-length': '100' } });
    sent.on('error', () => {});
    await new Promise((written) => sent.write('only the beginning', written));
    sent.destroy();
    await expect.poll(levels, soon).toEqual(['debug']);
    expect((await call('things/17')).status).toBe(200);
  });

  test('leaves while it waits: the invocation ends, one debug line', async () => {
    closeGate();
    const leaving = new AbortController();
    const waiting = call('gated', { signal: leaving.signal });
    await expect.poll(() => gate.entered, soon).toBe(1);
    leaving.abort();
    await expect(waiting).rejects.toThrow();
    await expect.poll(() => lines.filter((line) => line.includes('"path":"/v1/gated"')), soon).toHaveLength(1);
    gate.open();
    expect((await call('things/17')).status).toBe(200);
    expect(levels()).not.toContain('error');
  });

  test('asks for a URL that is too long, or names no host', async () => {
    const long = await call('x'.repeat(9000));
    expect([long.status, long.headers.get('content-type')]).toEqual([414, 'application/problem+json']);
    const status = await new Promise((resolve) =>
      request(`${host.endpoint}/v1/echo`, { headers: { host: 'a b' } }, (answer) => resolve(answer.statusCode)).end(),
    );
    expect(status).toBe(400);
    expect((await fetch(`${host.endpoint}//other.example/v1/things/17`)).status).toBe(404);
  });
});

describe('what is not well-formed is answered as problem JSON, before it reaches a function', () => {
  /** Sends bytes; answers what comes until the host closes the connection. */
  const exchange = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(host.endpoint).port), '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (chunk) => (answer += String(chunk)));
      socket.once('close', () => resolve(answer)).once('error', reject);
    });

  test.each([
    ['no HTTP', 'good morning\r\n\r\n'],
    ['two lengths', 'POST /v1/echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['a broken chunk', 'POST /v1/echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n'],
  ])('%s', async (_, text) => {
    const answer = await exchange(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*application\/problem\+json[\s\S]*"status":400/);
  });

  test('headers of more than the 32 kB that the real host takes; less is taken', async () => {
    const withHeader = (length: number) =>
      exchange(`GET /v1/things/17 HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx: ${'x'.repeat(length)}\r\n\r\n`);
    expect(await withHeader(30_000)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await withHeader(33_000)).toMatch(/^HTTP\/1\.1 431 [\s\S]*"The headers are too large\."/);
  });
});

test('requests beyond the limits of host.json wait, and then are refused; its headers are in every answer', async () => {
  const busy = await startHost({
    appDirectory: join(import.meta.dirname, 'fixtures/web'),
    settings: {
      AzureFunctionsJobHost__extensions__http__maxConcurrentRequests: '1',
      AzureFunctionsJobHost__extensions__http__maxOutstandingRequests: '2',
      AzureFunctionsJobHost__extensions__http__customHeaders__X_Seen: 'yes',
    },
  });
  onTestFinished(() => busy.stop());
  closeGate();
  const wait = () => fetch(`${busy.endpoint}/v1/gated`);
  const first = wait();
  await expect.poll(() => gate.entered, soon).toBe(1);
  const others = [wait(), wait()];
  const refused = await Promise.race(others);
  expect([refused.status, refused.headers.get('retry-after'), gate.entered]).toEqual([429, '1', 1]);
  gate.open();
  expect((await first).headers.get('x_seen')).toBe('yes');
  expect((await Promise.all(others)).map(({ status }) => status).sort()).toEqual([200, 429]);
  expect(gate.entered).toBe(2);
});

test('a body limit that is no number stops the host', async () => {
  const settings = { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: 'big' };
  const wrong = startHost({ appDirectory: app(`${imported}app.get('f', () => ({}));`), settings });
  await expect(wrong).rejects.toThrow('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT must be a number of bytes');
  delete process.env['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'];
});

test('a route that the host keeps for itself, or that another function has, is refused with the name of the function', async () => {
  const routes = (...all: string[]) =>
    app(imported + all.map((route, n) => `app.get('f${n}', { route: '${route}', handler: () => ({}) });`).join('\n'));
  const reasons = async (directory: string) => {
    const started = await startHost({ appDirectory: directory, settings: {} });
    onTestFinished(() => started.stop());
    return started.loadErrors.map(({ reason }) => reason);
  };
  expect(await reasons(routes('ok', 'admin/x', 'Administration', 'runtime/y', '/OK/', 'o{k}'))).toEqual([
    'Function "f1": the route "admin/x" begins with "admin" or "runtime", which the host keeps for itself. (app/main.mjs:3)',
    'Function "f2": the route "Administration" begins with "admin" or "runtime", which the host keeps for itself. (app/main.mjs:4)',
    'Function "f3": the route "runtime/y" begins with "admin" or "runtime", which the host keeps for itself. (app/main.mjs:5)',
    'Function "f4": the route "OK" is already that of "f0". (app/main.mjs:6)',
  ]);
});
