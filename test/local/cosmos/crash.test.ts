import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeFeedStartFrom, CosmosClient, type OperationInput } from '@azure/cosmos';
import { afterAll, expect, it } from 'vitest';
import { startCosmos } from '../../../local/cosmos/server.ts';
import { databases, masterKey } from './declarations.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'cosmos-crash-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const workloadsAt = (endpoint: string) => {
  const connectionPolicy = { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 0 } };
  const client = new CosmosClient({ endpoint, key: masterKey, connectionPolicy });
  return client.database('test').container('workloads');
};

it('a killed server has kept every acknowledged batch whole, and no part of any other', {
  timeout: 30_000,
}, async () => {
  const child = fork(new URL('./crashChild.ts', import.meta.url), [dataDir], { stdio: 'inherit' });
  const [endpoint] = await once(child, 'message');
  const workloads = workloadsAt(String(endpoint));

  const acknowledged: string[] = [];
  let isOver = false;
  const writer = async (workloadId: string) => {
    for (let at = 0; !isOver; at++) {
      const operations = Array.from({ length: 5 }, (_, part): OperationInput => {
        return { operationType: 'Create', resourceBody: { id: `${at}-${part}`, waveId: 'w', workloadId, at } };
      });
      const { code } = await workloads.items.batch(operations, ['w', workloadId]);
      if (code === 200) acknowledged.push(`${workloadId}/${at}`);
      if (acknowledged.length === 60) {
        isOver = true;
        child.kill('SIGKILL');
      }
    }
  };
  // The writers that are cut off fail; that is the point.
  await Promise.allSettled(['a', 'b', 'c', 'd'].map(writer));
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');

  const revived = await startCosmos({ dataDir, databases, masterKey });
  const reader = workloadsAt(revived.endpoint);
  const { resources } = await reader.items.query<{ workloadId: string; at: number }>('SELECT * FROM c').fetchAll();
  const parts = new Map<string, number>();
  for (const { workloadId, at } of resources) {
    parts.set(`${workloadId}/${at}`, (parts.get(`${workloadId}/${at}`) ?? 0) + 1);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(60);
  expect(acknowledged.filter((name) => parts.get(name) !== 5)).toEqual([]);
  expect([...parts.values()].filter((count) => count !== 5)).toEqual([]);

  const feed = reader.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Now() });
  expect((await feed.readNext()).statusCode).toBe(304);
  await reader.items.create({ id: 'after', waveId: 'w', workloadId: 'a' });
  expect((await feed.readNext()).result.map(({ id }) => id)).toEqual(['after']);
  await revived.stop();
});

it('a change number is not given again after the newest item was deleted and the server restarted', async () => {
  const first = await startCosmos({ dataDir, databases, masterKey });
  const before = workloadsAt(first.endpoint);
  await before.items.create({ id: 'last', waveId: 'w', workloadId: 'z' });
  const { headers } = await before.item('last', ['w', 'z']).delete();
  await first.stop();
  const second = await startCosmos({ dataDir, databases, masterKey });
  const next = await workloadsAt(second.endpoint).items.create({ id: 'next', waveId: 'w', workloadId: 'z' });
  const lsn = (from: Record<string, unknown>) => Number(String(from['x-ms-session-token']).split('#')[1]);
  expect(lsn(next.headers)).toBe(lsn(headers) + 1);
  await second.stop();
});
