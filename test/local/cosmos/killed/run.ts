// A server that is killed in the middle of its work, and one that goes on with what is left.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeFeedMode, type Container, CosmosClient } from '@azure/cosmos';
import { expect } from 'vitest';
import { startCosmos } from '../../../../local/cosmos/server.ts';
import { databases, masterKey } from '../declarations.ts';
import { checkAll, checkItems, checkLatest, Stored } from './checks.ts';
import { Follower } from './follower.ts';
import { chance, Writer } from './writer.ts';

const connectionPolicy = { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 0 } };

/** Kills a server under load and checks what its successor has. Returns how much was acknowledged before. */
export async function surviveKill(seed: number): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'cosmos-killed-'));
  try {
    const draw = chance(seed);
    const child = fork(new URL('./child.ts', import.meta.url), [dataDir], { stdio: 'inherit' });
    const [endpoint] = (await once(child, 'message')) as [string];
    const gone = once(child, 'exit');
    const container = kept(endpoint);
    const latest = new Follower(ChangeFeedMode.LatestVersion);
    const all = new Follower(ChangeFeedMode.AllVersionsAndDeletes);
    await Promise.all([latest.read(container), all.read(container)]);
    let left = 20 + Math.floor(draw() * 60);
    const acknowledged = () => {
      if (--left === 0) child.kill('SIGKILL');
    };
    const writers = ['a', 'b', 'c', 'd'].map((name) => new Writer(container, name, Math.floor(draw() * 2 ** 31)));
    const reading = [latest.readOn(container, gone), all.readOn(container, gone)];
    await Promise.all([...writers.map((writer) => writer.write(acknowledged)), ...reading]);
    await gone;
    expect(child.signalCode).toBe('SIGKILL');

    const revived = await startCosmos({ dataDir, databases, masterKey });
    try {
      const reader = kept(revived.endpoint);
      const found = (await reader.items.query('SELECT * FROM c').fetchAll()).resources.map((item) =>
        Stored.parse(item),
      );
      for (const writer of writers) checkItems(writer, found);
      await Promise.all([latest.read(reader), all.read(reader)]);
      checkLatest(latest.told, found);
      checkAll(all.told, found);
    } finally {
      await revived.stop();
    }
    return writers.reduce((sum, { acknowledgements }) => sum + acknowledgements, 0);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const kept = (endpoint: string): Container =>
  new CosmosClient({ endpoint, key: masterKey, connectionPolicy }).database('test').container('kept');
