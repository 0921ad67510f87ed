import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startCosmos } from '../../../local/cosmos/server.ts';
import { startHost } from '../../../local/host/startHost.ts';
import { startIdentity } from '../../../local/identity/server.ts';
import { ensurePki, trustCa } from '../../../local/pki.ts';
import { start } from '../servicebus/harness.ts';
import { received as changes } from './fixtures/changes/received.ts';
import { namespace } from './fixtures/messages/namespace.ts';
import { received as messages } from './fixtures/messages/received.ts';

test('triggers listen with a managed identity, over TLS, where settings name an endpoint instead of a connection string', async () => {
  const identity = await startIdentity({
    tenantId: '11111111-1111-1111-1111-111111111111',
    users: [],
    managedIdentities: [{ name: 'app', clientId: 'client-1', principalId: 'principal-1' }],
  });
  onTestFinished(() => identity.stop());
  const seen: string[] = [];
  const verifyToken = async (jwt: string) => {
    const verified = await identity.verifyToken(jwt);
    seen.push(verified.oid);
    return verified;
  };
  const bus = await start(namespace, { verifyToken });
  const key = Buffer.from('a key').toString('base64');
  const tls = await ensurePki(undefined);
  trustCa(tls.ca);
  const cosmos = await startCosmos({
    tls,
    masterKey: key,
    verifyToken,
    databases: [
      {
        name: 'db',
        containers: ['things', 'leases'].map((name) => ({ name, partitionKey: { paths: ['/id'], version: 2 } })),
      },
    ],
  });
  onTestFinished(() => cosmos.stop());
  for (const fixture of ['messages', 'changes']) {
    const host = await startHost({
      appDirectory: join(import.meta.dirname, 'fixtures', fixture),
      settings: {
        IDENTITY_ENDPOINT: identity.identityEndpoint,
        IDENTITY_HEADER: identity.identityHeader,
        Bus__fullyQualifiedNamespace: bus.host,
        Bus__clientId: 'client-1',
        Cosmos__accountEndpoint: cosmos.endpoint,
        Cosmos__clientId: 'client-1',
        STREAMS_QUEUE: 'streams',
        CONTAINER: 'things',
        LEASES: 'leases',
      },
    });
    onTestFinished(() => host.stop());
  }
  await bus.client().createSender('single').sendMessages({ body: 'hello' });
  await vi.waitFor(() => expect(messages).toMatchObject([{ function: 'single', messages: ['hello'] }]), {
    timeout: 10_000,
    interval: 10,
  });
  const client = new CosmosClient({
    endpoint: cosmos.endpoint,
    key,
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  await client.database('db').container('things').items.create({ id: 'd', n: 1 });
  const change = expect.objectContaining({ function: 'persistent', changes: [{ id: 'd', n: 1 }] });
  await vi.waitFor(() => expect(changes).toContainEqual(change), { timeout: 10_000, interval: 10 });
  client.dispose();
  expect(new Set(seen)).toEqual(new Set(['principal-1']));
});
