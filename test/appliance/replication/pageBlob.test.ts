import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Flight } from '../../../appliance/replication/flight.ts';
import { PageBlob } from '../../../appliance/replication/pageBlob.ts';
import { closeServer, listenOnLoopback } from '../../../local/loopback.ts';

// Storage that answers by a script, and then that it is done.
let script: ((request: IncomingMessage, response: ServerResponse) => void)[];
let asked: { at: number; url: string; headers: IncomingMessage['headers'] }[];
let server: ReturnType<typeof createServer>;
let address: string;
let signed = 0;
const forEver = new AbortController().signal;

beforeEach(async () => {
  [script, asked, signed] = [[], [], 0];
  server = createServer((request, response) => {
    asked.push({ at: Date.now(), url: request.url ?? '', headers: request.headers });
    request.resume().on('end', () => {
      const next = script.shift();
      if (next) next(request, response);
      else response.writeHead(201, { etag: '"1"', 'x-ms-snapshot': 'now' }).end();
    });
  });
  address = `http://127.0.0.1:${await listenOnLoopback(server)}/a/b`;
});
afterEach(() => closeServer(server));

const retries: { message: string; waitMs: number }[] = [];
function blob(lifeMs = 3_600_000, forMs = 60_000): PageBlob {
  retries.length = 0;
  return new PageBlob({
    access: async () => ({ url: `${address}?sig=${++signed}`, expiresAt: new Date(Date.now() + lifeMs).toISOString() }),
    patience: { forMs, onRetry: ({ message }, waitMs) => retries.push({ message, waitMs }) },
  });
}

const answer =
  (status: number, headers: Record<string, string> = {}) =>
  (_: unknown, response: ServerResponse) =>
    void response.writeHead(status, headers).end();

it('waits as long as storage asks, and everybody else with it', async () => {
  script = [answer(503, { 'retry-after': '1' })];
  const target = blob();
  const first = target.put(0, Buffer.alloc(512), forEver);
  await expect.poll(() => retries).toEqual([{ message: 'storage answered 503', waitMs: 1000 }]);
  await Promise.all([first, target.clear(512, 512, forEver)]);
  expect(asked).toHaveLength(3);
  for (const later of asked.slice(1)) expect(later.at - asked[0]!.at).toBeGreaterThanOrEqual(990);
});

it('whoever waits for storage that is away does not take the room of those whose storage is there', async () => {
  const flight = new Flight();
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const stopped = new AbortController();
  const [away, there] = ['http://127.0.0.1:1/a/b?sig=0', `${address}?sig=1`].map(
    (url) => new PageBlob({ flight, access: async () => ({ url, expiresAt }) }),
  );
  const waiting = [0, 1].map((block) => away!.put(block << 22, Buffer.alloc(4 << 20), stopped.signal));
  await there!.put(0, Buffer.alloc(4 << 20), forEver);
  expect(asked).toHaveLength(1);
  stopped.abort(new Error('enough'));
  for (const { status } of await Promise.allSettled(waiting)) expect(status).toBe('rejected');
  expect(flight.bytes).toBe(0);
});

it('gives up when storage has been away for too long', async () => {
  script = Array.from({ length: 50 }, () => answer(500));
  await expect(blob(undefined, 100).put(0, Buffer.alloc(512), forEver)).rejects.toMatchObject({
    code: 'storageUnavailable',
    message: 'For too long storage answered 500.',
  });
});

it('a signature that is refused is replaced once, and a second refusal is told', async () => {
  const refused = answer(403, { 'x-ms-error-code': 'AuthenticationFailed' });
  script = [refused];
  await blob().put(0, Buffer.alloc(512), forEver);
  expect(asked.map(({ url }) => url)).toEqual(['/a/b?sig=1&comp=page', '/a/b?sig=2&comp=page']);
  script = [refused, refused];
  await expect(blob().put(0, Buffer.alloc(512), forEver)).rejects.toMatchObject({
    code: 'blobRefused',
    message: 'Storage refused AuthenticationFailed.',
  });
});

it('a signature is replaced before it expires, once for all who wait', async () => {
  const target = blob(1000);
  await Promise.all([0, 512, 1024].map((at) => target.put(at, Buffer.alloc(512), forEver)));
  expect(signed).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await Promise.all([0, 512, 1024].map((at) => target.put(at, Buffer.alloc(512), forEver)));
  expect(signed).toBe(2);
});

it('an answer that breaks off is asked for again and does not leave its first part behind', async () => {
  script = [
    (_, response) => {
      response.writeHead(206, { 'content-length': '1024' });
      response.write(Buffer.alloc(512, 1), () => response.destroy());
    },
    (_, response) => void response.writeHead(206).end(Buffer.alloc(1024, 2)),
  ];
  const buffer = Buffer.alloc(1024);
  await blob().read(0, buffer, '"1"', forEver);
  expect(buffer.every((byte) => byte === 2)).toBe(true);
  expect(retries[0]?.message).toContain('storage cannot be reached');
});

it('an answer of another length is no answer', async () => {
  script = [(_, response) => void response.writeHead(206).end(Buffer.alloc(2048))];
  const buffer = Buffer.alloc(1024);
  await expect(blob().read(0, buffer, '"1"', forEver)).rejects.toThrow('2048 bytes instead of 1024');
});

it('reads and snapshots only the version that was proven', async () => {
  const target = blob();
  expect(await target.version(forEver)).toBe('"1"');
  expect(await target.snapshot('"1"', forEver)).toBe('now');
  expect(asked[1]?.headers['if-match']).toBe('"1"');
  script = [answer(412, { 'x-ms-error-code': 'ConditionNotMet' })];
  await expect(target.snapshot('"0"', forEver)).rejects.toMatchObject({ code: 'blobChanged' });
});

it('follows the ranges of a blob over several answers', async () => {
  const list = (inner: string) => (_: unknown, response: ServerResponse) =>
    void response.writeHead(200).end(`<PageList>${inner}</PageList>`);
  script = [
    list('<PageRange><Start>0</Start><End>511</End></PageRange><NextMarker>1024</NextMarker>'),
    list('<PageRange><Start>1024</Start><End>2047</End></PageRange><NextMarker />'),
  ];
  expect(await blob().allocated({ start: 0, stop: 4096 }, forEver)).toEqual([
    { start: 0, stop: 512 },
    { start: 1024, stop: 2048 },
  ]);
  expect(asked.map(({ url, headers }) => `${url} ${headers['x-ms-range']}`)).toEqual([
    '/a/b?sig=1&comp=pagelist bytes=0-4095',
    '/a/b?sig=1&comp=pagelist&marker=1024 bytes=0-4095',
  ]);
});
