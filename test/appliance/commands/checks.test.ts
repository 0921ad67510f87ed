import type { lookup } from 'node:dns';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCheck, runChecks } from '../../../appliance/commands/checks.ts';
import { guardedLookup, isForbiddenAddress } from '../../../appliance/net/guard.ts';
import { closeServer, listenOnLoopback } from '../../../local/loopback.ts';
import type { Check } from '../../../shared/model/settings.ts';

let port: number;
let asked: string[];
const server = () =>
  createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/moved') response.writeHead(302, { location: '/' });
    response.end('hello');
  });
let web: ReturnType<typeof server>;
beforeEach(async () => {
  asked = [];
  web = server();
  port = await listenOnLoopback(web);
});
afterEach(() => closeServer(web));

const tcp = (host: string, at: number, expected: 'open' | 'closed' = 'open'): Check => ({
  kind: 'tcp',
  name: 'port',
  host,
  port: at,
  expect: expected,
});
const http = (url: string, expectStatus = 200): Check => ({ kind: 'http', name: 'page', url, expectStatus });

it('an open port is open and a closed one closed', async () => {
  const gone = createTcpServer();
  const closed = await listenOnLoopback(gone as never);
  await new Promise((resolve) => gone.close(resolve));
  const found = await runChecks([
    tcp('127.0.0.1', port),
    tcp('127.0.0.1', port, 'closed'),
    tcp('127.0.0.1', closed),
    tcp('localhost', closed, 'closed'),
  ]);
  expect(found.map(({ passed }) => passed)).toEqual([true, false, false, true]);
});

it('a name that does not resolve proves nothing, not even that a port is closed', async () => {
  const check = tcp('no-such-host.invalid', 80, 'closed');
  const missing = Object.assign(new Error('ENOTFOUND'), { syscall: 'getaddrinfo' });
  const result = await runCheck(check, { lookup: (_name, _options, callback) => callback(missing, '', 0) });
  expect(result).toMatchObject({ passed: false, detail: expect.stringContaining('ENOTFOUND') as string });
});

it('compares the status of a page and follows no redirect', async () => {
  const base = `http://127.0.0.1:${port}`;
  const found = await runChecks([http(`${base}/`), http(`${base}/moved`), http(`${base}/moved`, 302)]);
  expect(found.map(({ passed }) => passed)).toEqual([true, false, true]);
  expect(asked.filter((path) => path === '/')).toHaveLength(1);
});

it('a page that does not answer in time has not passed', async () => {
  const silent = createServer(() => {});
  const at = await listenOnLoopback(silent);
  const result = await runCheck(http(`http://127.0.0.1:${at}/`), { timeoutMs: 200 });
  expect(result.passed).toBe(false);
  await closeServer(silent, 0);
});

it('a name that leads to instance metadata is not contacted', async () => {
  const leading = (address: string) =>
    guardedLookup(((_name: string, _options: unknown, done: (error: null, found: object[]) => void) =>
      done(null, [{ address, family: address.includes(':') ? 6 : 4 }])) as unknown as typeof lookup);
  for (const address of ['169.254.169.254', '168.63.129.16', '::ffff:169.254.169.254', 'fe80::1', 'fd00:ec2::254']) {
    const options = { lookup: leading(address), timeoutMs: 500 };
    const found = [
      await runCheck(tcp('innocent.example', port, 'closed'), options),
      await runCheck(http(`http://innocent.example:${port}/`), options),
    ];
    expect(found.map(({ passed }) => passed)).toEqual([false, false]);
    expect(found[0]?.detail).toContain('never contacted');
  }
  expect((await runCheck(http(`http://innocent.example:${port}/`), { lookup: leading('127.0.0.1') })).passed).toBe(
    true,
  );
});

it('knows forbidden addresses in every spelling', () => {
  for (const address of ['169.254.1.1', '[::ffff:a9fe:a9fe]', '0:0:0:0:0:ffff:a9fe:a9fe', 'fe80::1%eth0', 'metadata'])
    expect([address, isForbiddenAddress(address)]).toEqual([address, true]);
  for (const address of ['10.0.0.4', '::1', '127.0.0.1', 'web-01.example'])
    expect([address, isForbiddenAddress(address)]).toEqual([address, false]);
});

it('other kinds of checks are refused, not passed', async () => {
  const result = await runCheck({ kind: 'boot', name: 'boot' });
  expect(result).toEqual({ name: 'boot', passed: false, detail: 'boot is not a check that an appliance runs' });
});
