import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningHost, startHost } from '../../../local/host/startHost.ts';
import { gate, seen } from './fixtures/streams/seen.ts';

const soon = { timeout: 10_000, interval: 5 };

let host: RunningHost;
const lines: string[] = [];
beforeAll(async () => {
  host = await startHost({
    appDirectory: join(import.meta.dirname, 'fixtures/streams'),
    settings: {
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '100000',
      AzureFunctionsJobHost__logging__logLevel__default: 'Debug',
    },
    log: (line) => lines.push(line),
  });
});
afterAll(() => host.stop());
beforeEach(() => {
  seen.length = 0;
  lines.length = 0;
});

const post = (path: string, headers: Record<string, string> = {}) =>
  request(`${host.endpoint}/api/${path}`, { method: 'POST', headers });
const answerTo = (sent: ClientRequest) =>
  new Promise<IncomingMessage>((resolve, reject) => sent.once('response', resolve).on('error', reject));
const levels = () => lines.map((line) => (JSON.parse(line) as { level: string }).level);

test('an app with HTTP streams answers the first part before the request has ended, and its failures are 500', async () => {
  const sent = post('upper/7', { 'x-sent': 'yes' });
  sent.write('first ');
  const response = await answerTo(sent);
  const chunks = response[Symbol.asyncIterator]();
  expect(String((await chunks.next()).value)).toBe('FIRST ');
  sent.end('second');
  expect(String((await chunks.next()).value)).toBe('SECOND');
  expect(response.headers).toMatchObject({ 'x-id': '7', 'x-sent': 'yes' });
  expect((await fetch(`${host.endpoint}/api/throws`)).status).toBe(500);
});

test('headers that the library would not take are refused before anything is invoked', async () => {
  const withHeader = (length: number) =>
    fetch(`${host.endpoint}/api/swallow`, { method: 'POST', body: 'ok', headers: { 'x-long': 'x'.repeat(length) } });
  for (const length of [15_500, 16_000, 30_000]) {
    const refused = await withHeader(length);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([431, 'application/problem+json']);
  }
  expect(seen).toEqual([]);
  expect((await withHeader(14_500)).status).toBe(204);
});

test('a streamed body over the limit is answered with 413 while the client still sends, and the handler sees it break off', async () => {
  const sent = post('swallow');
  for (let sum = 0; sum < 300_000; sum += 50_000) sent.write('x'.repeat(50_000));
  const response = await answerTo(sent);
  expect([response.statusCode, response.headers['content-type']]).toEqual([413, 'application/problem+json']);
  sent.end();
  await expect.poll(() => seen, soon).toEqual(['begun', 'the request broke off']);
  expect((await fetch(`${host.endpoint}/api/swallow`, { method: 'POST', body: 'ok' })).status).toBe(204);
});

test('a client that leaves while it sends ends the request body of the handler, and the host goes on', async () => {
  for (const beginning of [undefined, 'the beginning']) {
    seen.length = 0;
    const sent = post('swallow', { 'content-length': '1000' }).on('error', () => {});
    if (beginning === undefined) sent.flushHeaders();
    else sent.write(beginning);
    await expect.poll(() => seen, soon).toEqual(['begun']);
    sent.destroy();
    await expect.poll(() => seen, soon).toEqual(['begun', 'the request broke off']);
    await expect.poll(() => levels(), soon).toContain('debug');
  }
  expect((await fetch(`${host.endpoint}/api/swallow`, { method: 'POST', body: 'ok' })).status).toBe(204);
  expect(levels()).not.toContain('error');
});

test('a client that leaves while it is answered cancels the stream that the handler returned', async () => {
  for (const [path, status] of [
    ['endless', 200],
    ['endlessResponse', 203],
  ] as const) {
    seen.length = 0;
    const sent = post(path).on('error', () => {});
    sent.end();
    const response = await answerTo(sent);
    expect(response.statusCode).toBe(status);
    if (status === 203) expect(response.headers['x-kept']).toBe('yes');
    response.on('error', () => {});
    await new Promise((chunk) => response.once('data', chunk));
    sent.destroy();
    await expect.poll(() => seen, soon).toEqual(['the response is not wanted']);
  }
  expect(levels()).not.toContain('error');
});

test('a source that fails half-way breaks the response off, so that nobody takes it for whole', async () => {
  const response = await fetch(`${host.endpoint}/api/breaks`);
  const chunks = response.body!.getReader();
  expect(String(Buffer.from((await chunks.read()).value ?? []))).toBe('begun');
  gate.open();
  await expect(chunks.read()).rejects.toThrow();
  expect(lines.filter((line) => line.includes('source is gone'))).toHaveLength(1);
});
