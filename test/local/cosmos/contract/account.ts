// The account that the contract is held against: the local server, or a real one:
// LANDFALL_COSMOS_ENDPOINT=https://… LANDFALL_COSMOS_KEY=… npx vitest run test/local/cosmos/contract --testTimeout 120000
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Container, type ContainerRequest, CosmosClient, type CosmosClientOptions } from '@azure/cosmos';
import { afterAll } from 'vitest';
import { startCosmos } from '../../../../local/cosmos/server.ts';
import { masterKey } from '../declarations.ts';

const { LANDFALL_COSMOS_ENDPOINT: realEndpoint, LANDFALL_COSMOS_KEY: realKey = '' } = process.env;

/** More than one partition takes; in the real service every 10,000 RU/s begun is a physical partition. */
export const twoPartitions = 11_000;

/** A database of its own, deleted after the file's tests, in an account that lives as long. */
export async function openAccount() {
  let ahead = 0;
  const server =
    realEndpoint === undefined ? await startCosmos({ masterKey, clock: () => Date.now() + ahead }) : undefined;
  const endpoint = server?.endpoint ?? realEndpoint ?? '';
  const key = server ? masterKey : realKey;
  const clientWith = (options: Partial<CosmosClientOptions> = {}) => new CosmosClient({ endpoint, key, ...options });
  const client = clientWith();
  const id = `contract-${randomUUID()}`;
  const { database } = await client.databases.create({ id });
  afterAll(async () => {
    if (!server) await database.delete();
    client.dispose();
    await server?.stop();
  });
  const create = async (definition: ContainerRequest): Promise<Container> =>
    (await database.containers.create(definition)).container;
  /** Lets time pass: the local server's clock goes forward, the real one is waited for. */
  const later = async (ms: number) => {
    if (server) ahead += ms;
    else await sleep(ms);
  };
  return { client, clientWith, database, create, later };
}

/** The change number of a session token: `{range}:{version}#{number}`, with more behind it in the service. */
export const changeNumber = (headers: Record<string, unknown> = {}) =>
  Number(/^[^#]*#(\d+)/.exec(String(headers['x-ms-session-token']))?.[1]);
