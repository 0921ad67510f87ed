// A server and an unmodified client for one test file.
import { type Container, CosmosClient } from '@azure/cosmos';
import { afterAll } from 'vitest';
import { type CosmosOptions, startCosmos } from '../../../local/cosmos/server.ts';
import { ensurePki, trustCa } from '../../../local/pki.ts';
import { databases, masterKey } from './declarations.ts';

/** A server over plain HTTP with a key; stopped after the file's tests. */
export async function startWithKey(options: CosmosOptions = {}) {
  const server = await startCosmos({ databases, masterKey, ...options });
  const client = new CosmosClient({ endpoint: server.endpoint, key: masterKey });
  const stop = async () => {
    client.dispose();
    await server.stop();
  };
  afterAll(stop);
  return { server, client, container: (name: string): Container => client.database('test').container(name) };
}

/** A server over HTTPS; `tokens` says whose a token is, and whom it is for. */
export async function startWithTokens(tokens: Record<string, { oid: string; aud: string }>) {
  const pki = await ensurePki(undefined);
  trustCa(pki.ca);
  const server = await startCosmos({
    databases,
    tls: pki,
    verifyToken: async (jwt) => {
      const found = tokens[jwt];
      if (found === undefined) throw new Error('unknown token');
      return found;
    },
  });
  const clientFor = (token: string) =>
    new CosmosClient({
      endpoint: server.endpoint,
      aadCredentials: { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) },
    });
  afterAll(() => server.stop());
  return { server, clientFor };
}
