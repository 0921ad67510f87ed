import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { afterAll, expect, it } from 'vitest';
import { startCosmos } from '../../../../local/cosmos/server.ts';
import { databases, masterKey } from '../declarations.ts';
import { surviveKill } from './run.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'cosmos-crash-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const workloadsAt = (endpoint: string) => {
  const connectionPolicy = { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 0 } };
  const client = new CosmosClient({ endpoint, key: masterKey, connectionPolicy });
  return client.database('test').container('workloads');
};

it.each(Array.from({ length: 10 }, (_, at) => at + 1))(
  'a server that is killed has kept every acknowledged write, once, and its change feeds miss nothing: seed %i',
  async (seed) => {
    expect(await surviveKill(seed)).toBeGreaterThanOrEqual(20);
  },
);

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
