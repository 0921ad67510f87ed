import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { startCosmos } from '../../../local/cosmos/server.ts';
import { startHost } from '../../../local/host/startHost.ts';
import { behaviour, received } from './fixtures/changes/received.ts';

const key = Buffer.from('a key for tests').toString('base64');

beforeEach(() => {
  received.length = 0;
  behaviour.handle = () => {};
});

async function startAll() {
  const cosmos = await startCosmos({
    masterKey: key,
    databases: [{ name: 'db', containers: [{ name: 'things', partitionKey: { paths: ['/id'], version: 2 } }] }],
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'host-'));
  const client = new CosmosClient({
    endpoint: cosmos.endpoint,
    key,
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  onTestFinished(async () => {
    client.dispose();
    await cosmos.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const start = async () => {
    const host = await startHost({
      appDirectory: join(import.meta.dirname, 'fixtures/changes'),
      settings: { Cosmos: `AccountEndpoint=${cosmos.endpoint};AccountKey=${key};`, CONTAINER: 'things' },
      dataDir,
    });
    onTestFinished(() => host.stop());
    return host;
  };
  return { things: client.database('db').container('things'), start };
}

const numbers = () => received.flat().map(({ n }) => n);

test('changes arrive in bounded batches, oldest first, also those from before the start', async () => {
  const { things, start } = await startAll();
  for (let n = 0; n < 8; n++) await things.items.create({ id: `d${n}`, n });
  await start();
  await vi.waitFor(() => expect(numbers()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]), { timeout: 5000, interval: 10 });
  await things.items.upsert({ id: 'd0', n: 100 });
  await vi.waitFor(() => expect(numbers().at(-1)).toBe(100), { timeout: 5000, interval: 10 });
  expect(Math.max(...received.map((batch) => batch.length))).toBeLessThanOrEqual(5);
});

test('a batch whose handler throws comes again, and the feed goes on only after it', async () => {
  const { things, start } = await startAll();
  behaviour.handle = () => {
    if (received.length < 3) throw new Error('not yet');
  };
  await things.items.create({ id: 'd', n: 1 });
  await start();
  await vi.waitFor(() => expect(numbers()).toEqual([1, 1, 1]), { timeout: 5000, interval: 10 });
});

test('a restarted host goes on behind its checkpoint and misses nothing that happened meanwhile', async () => {
  const { things, start } = await startAll();
  await things.items.create({ id: 'd1', n: 1 });
  const first = await start();
  await vi.waitFor(() => expect(numbers()).toEqual([1]), { timeout: 5000, interval: 10 });
  await first.stop();
  await things.items.create({ id: 'd2', n: 2 });
  await start();
  await vi.waitFor(() => expect(numbers()).toEqual([1, 2]), { timeout: 5000, interval: 10 });
});
