import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Container, CosmosClient } from '@azure/cosmos';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { startCosmos } from '../../../local/cosmos/server.ts';
import { startHost } from '../../../local/host/startHost.ts';
import { behaviour, received } from './fixtures/changes/received.ts';

const key = Buffer.from('a key for tests').toString('base64');
const soon = { timeout: 15_000, interval: 5 };

beforeEach(() => {
  received.length = 0;
  behaviour.handle = () => {};
});

async function startAll() {
  const container = (name: string) => ({ name, partitionKey: { paths: ['/id'], version: 2 } });
  const cosmos = await startCosmos({
    masterKey: key,
    databases: [{ name: 'db', containers: [container('things'), container('leases')] }],
  });
  const client = new CosmosClient({
    endpoint: cosmos.endpoint,
    key,
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  onTestFinished(async () => {
    client.dispose();
    await cosmos.stop();
  });
  const lines: string[] = [];
  const start = async ({ LEASES = 'leases', dataDir }: { LEASES?: string; dataDir?: string } = {}) => {
    const host = await startHost({
      appDirectory: join(import.meta.dirname, 'fixtures/changes'),
      settings: {
        Cosmos: `AccountEndpoint=${cosmos.endpoint};AccountKey=${key};`,
        ...{ CONTAINER: 'things', LEASES },
      },
      log: (line) => lines.push(line),
      ...(dataDir !== undefined && { dataDir }),
    });
    onTestFinished(() => host.stop());
    return host;
  };
  const db = client.database('db');
  return { db, things: db.container('things'), leases: db.container('leases'), lines, start };
}

const numbers = (name: string) =>
  received.filter((batch) => batch.function === name).flatMap(({ changes }) => changes.map(({ n }) => n));

async function leasesOf(leases: Container, prefix: string) {
  const { resources } = await leases.items.readAll<Record<string, unknown> & { id: string }>().fetchAll();
  return resources.filter(({ id }) => id.startsWith(prefix)).sort((a, b) => a.id.localeCompare(b.id));
}

test('changes arrive in bounded batches, oldest first, also those from before the start', async () => {
  const { things, start } = await startAll();
  for (let n = 0; n < 8; n++) await things.items.create({ id: `d${n}`, n });
  await start();
  await vi.waitFor(() => expect(numbers('persistent')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]), soon);
  await things.items.upsert({ id: 'd0', n: 100 });
  await vi.waitFor(() => expect(numbers('persistent').at(-1)).toBe(100), soon);
  expect(Math.max(...received.map(({ changes }) => changes.length))).toBeLessThanOrEqual(5);
});

test('a failed batch comes again as often as the retry policy says; then the feed goes on behind it', async () => {
  const { things, start } = await startAll();
  behaviour.handle = ({ function: name, changes }) => {
    const isLate = name === 'persistent' && numbers(name).length > 8;
    if (changes[0]?.n === 1 && !isLate) throw new Error('not yet');
  };
  await things.items.create({ id: 'd1', n: 1 });
  await start();
  await vi.waitFor(() => expect(numbers('careless')).toEqual([1]), soon);
  await vi.waitFor(() => expect(numbers('patient')).toEqual([1, 1, 1]), soon);
  await vi.waitFor(() => expect(numbers('persistent')).toEqual(Array<number>(9).fill(1)), soon);
  await things.items.create({ id: 'd2', n: 2 });
  await vi.waitFor(() => expect(numbers('careless')).toEqual([1, 2]), soon);
  await vi.waitFor(() => expect(numbers('patient')).toEqual([1, 1, 1, 2]), soon);
  await vi.waitFor(() => expect(numbers('persistent')).toEqual([...Array<number>(9).fill(1), 2]), soon);
  const told = received.filter((batch) => batch.function === 'patient').map(({ retry }) => retry);
  const exception = { message: 'not yet' };
  expect(told).toEqual([
    { retryCount: 0, maxRetryCount: 2 },
    { retryCount: 1, maxRetryCount: 2, exception },
    { retryCount: 2, maxRetryCount: 2, exception },
    { retryCount: 0, maxRetryCount: 2 },
  ]);
});

test('a host with a state of its own goes on behind the checkpoint of one that was stopped', async () => {
  const { things, leases, start } = await startAll();
  await things.items.create({ id: 'd1', n: 1 });
  const first = await start();
  await vi.waitFor(() => expect(numbers('persistent')).toEqual([1]), soon);
  await first.stop();
  const [lease] = await leasesOf(leases, 'persistent');
  expect(lease).toMatchObject({
    Owner: null,
    ContinuationToken: expect.any(String),
    FeedRange: { Range: { min: '' } },
  });
  await things.items.create({ id: 'd2', n: 2 });
  await start();
  await vi.waitFor(() => expect(numbers('persistent')).toEqual([1, 2]), soon);
});

test('the ranges of a host that was killed are taken over when its leases expire, by itself at once', async () => {
  const { things, leases, start } = await startAll();
  const dataDir = mkdtempSync(join(tmpdir(), 'host-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await start({ dataDir });
  await vi.waitFor(async () => expect(await leasesOf(leases, 'p')).toMatchObject([held, held]), soon);
  const [persistent = { id: '' }, patient = { id: '' }] = (await leasesOf(leases, 'p')).toReversed();
  await first.stop();
  // As a kill leaves them: one that soon expires, of a host that does not come back, one of the host that does.
  const timestamp = new Date().toISOString();
  await leases.items.upsert({ ...patient, timestamp, Owner: 'somebody who is gone' });
  await leases.items.upsert({ ...persistent, timestamp });
  await things.items.create({ id: 'd1', n: 1 });
  let waited = 0;
  behaviour.handle = (batch) => {
    if (batch.function === 'patient') waited = Date.now() - Date.parse(timestamp);
  };
  await start({ dataDir });
  await vi.waitFor(() => expect(numbers('persistent')).toEqual([1]), soon);
  await vi.waitFor(() => expect(numbers('patient')).toEqual([1]), soon);
  expect(waited).toBeGreaterThan(400);
});
const held = { Owner: expect.any(String), ContinuationToken: expect.any(String) };

test('two hosts share the ranges of a container, and what one leaves the other takes', async () => {
  const { things, leases, start } = await startAll();
  const seeding = await start();
  await vi.waitFor(async () => expect(await leasesOf(leases, 'persistent')).toMatchObject([held]), soon);
  await seeding.stop();
  // The local server has one range; two halves of it are what a container of two ranges has.
  const [whole = { id: '', ContinuationToken: '' }] = await leasesOf(leases, 'persistent');
  await leases.item(whole.id, whole.id).delete();
  for (const [min, max] of [
    ['', '1F'],
    ['1F', 'FF'],
  ]) {
    const ContinuationToken = String(whole['ContinuationToken'])
      .replace('"minInclusive":""', `"minInclusive":"${min}"`)
      .replace('"maxExclusive":"FF"', `"maxExclusive":"${max}"`);
    const id = whole.id.replace('..-FF', `..${min}-${max}`);
    await leases.items.create({ ...whole, id, ContinuationToken, FeedRange: { Range: { min, max } } });
  }
  const owners = async () => (await leasesOf(leases, 'persistent')).map(({ Owner }) => Owner);
  const first = await start();
  await vi.waitFor(async () => expect(await owners()).toEqual([expect.any(String), expect.any(String)]), soon);
  const [one] = await owners();
  expect(await owners()).toEqual([one, one]);
  await start();
  await vi.waitFor(async () => expect(new Set(await owners()).size).toBe(2), soon);
  const all = Array.from({ length: 20 }, (_, n) => n);
  for (const n of all) await things.items.create({ id: `d${n}`, n });
  await vi.waitFor(() => expect(numbers('persistent')).toHaveLength(20), soon);
  expect(numbers('persistent').toSorted((a, b) => a - b)).toEqual(all);
  await first.stop();
  await vi.waitFor(async () => expect(await owners()).not.toContain(one), soon);
  await things.items.create({ id: 'd20', n: 20 });
  await vi.waitFor(() => expect(numbers('persistent').at(-1)).toBe(20), soon);
});

test('the lease container is not made unasked; a function without one says so, and the others run', async () => {
  const { things, lines, start } = await startAll();
  await things.items.create({ id: 'd1', n: 1 });
  await start({ LEASES: 'missing' });
  await vi.waitFor(() => expect(lines.join()).toContain('its lease container \\"missing\\" does not exist'), soon);
  await vi.waitFor(() => expect(numbers('patient')).toEqual([1]), soon);
  expect(numbers('careless')).toEqual([]);
});

test('a container cannot hold the leases of its own feed', async () => {
  const { start } = await startAll();
  const { loadErrors } = await start({ LEASES: 'things' });
  expect(loadErrors).toEqual([
    { function: 'careless', reason: expect.stringContaining('cannot hold the leases of its own feed') },
  ]);
});
