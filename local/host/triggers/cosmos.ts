// Cosmos DB triggers: the binding and its clients. A batch whose handler throws is invoked again as the retry policy of
// the function says; without one, and after the last attempt, the feed goes on behind it, as in Azure
// (https://learn.microsoft.com/azure/cosmos-db/nosql/troubleshoot-changefeed-functions).
import { randomUUID } from 'node:crypto';
import { ChangeFeedStartFrom, CosmosClient, type CosmosClientOptions, type FeedRange } from '@azure/cosmos';
import { z } from 'zod';
import type { Binding, RegisteredFunction } from '../coreModule.ts';
import { invokeWithRetry, retryPolicyOf } from '../retry.ts';
import type { Settings } from '../settings.ts';
import type { HostState } from '../state.ts';
import type { TriggerContext } from './bindTriggers.ts';
import { resolveConnection } from './connection.ts';
import { followFeed } from './cosmosFeed.ts';
import type { Trigger } from './trigger.ts';

const milliseconds = (usual: number) => z.number().nonnegative().default(usual);
const CosmosBinding = z
  .looseObject({
    connection: z.string(),
    databaseName: z.string(),
    containerName: z.string(),
    leaseConnection: z.string().optional(),
    leaseDatabaseName: z.string().optional(),
    leaseContainerName: z.string().default('leases'),
    leaseContainerPrefix: z.string().default(''),
    createLeaseContainerIfNotExists: z.boolean().default(false),
    leaseAcquireInterval: milliseconds(13_000),
    leaseExpirationInterval: milliseconds(60_000),
    leaseRenewInterval: milliseconds(17_000),
    feedPollDelay: milliseconds(5000),
    maxItemsPerInvocation: z.number().int().positive().default(100),
    startFromBeginning: z.boolean().default(false),
    startFromTime: z.coerce.date().optional(),
    changeFeedMode: z.literal('LatestVersion', 'only LatestVersion is supported by this host').default('LatestVersion'),
  })
  .refine(({ startFromBeginning, startFromTime }) => !(startFromBeginning && startFromTime), {
    path: ['startFromTime'],
    message: 'cannot be used together with startFromBeginning',
  });
type CosmosBinding = z.output<typeof CosmosBinding>;
type Account = Pick<CosmosClientOptions, 'endpoint' | 'key' | 'aadCredentials'>;

export function cosmosTrigger(registered: RegisteredFunction, binding: Binding, context: TriggerContext): Trigger {
  const { name } = registered.metadata;
  const options = CosmosBinding.parse(binding);
  const where = `Function "${name}"`;
  const resolve = (connection: string) => accountOf(connection, context.settings, where);
  const connection = resolve(options.connection);
  const leaseConnection = options.leaseConnection === undefined ? undefined : resolve(options.leaseConnection);
  const leaseDatabaseName = options.leaseDatabaseName ?? options.databaseName;
  const isSame = leaseDatabaseName === options.databaseName && options.leaseContainerName === options.containerName;
  if (isSame && !leaseConnection)
    throw new Error(`${where}: the container "${options.containerName}" cannot hold the leases of its own feed.`);
  const policy = retryPolicyOf(registered, context.hostJson);
  const stopping = new AbortController();
  const clients: CosmosClient[] = [];
  let followed: Promise<void> = Promise.resolve();
  return {
    async start() {
      const client = connect(connection);
      const leaseClient = leaseConnection ? connect(leaseConnection) : client;
      clients.push(client, leaseClient);
      followed = followFeed({
        ...options,
        // Only a host with the same state may go on at once where this one fell.
        owner: `${await instanceOf(context.state)}.${name}`,
        prefix: options.leaseContainerPrefix,
        monitored: client.database(options.databaseName).container(options.containerName),
        leaseContainer: leaseClient.database(leaseDatabaseName).container(options.leaseContainerName),
        start: (range) => startOf(options, range),
        maxItems: options.maxItemsPerInvocation,
        handle(changes, signal) {
          const request = { data: { json: JSON.stringify(changes) } };
          return invokeWithRetry(context, registered, request, { policy, trigger: 'cosmosDB', signal });
        },
        log: (level, message) => context.log.line(level, name, `change feed: ${message}`),
        signal: stopping.signal,
      });
    },
    async stop() {
      stopping.abort();
      await followed;
      for (const client of new Set(clients)) client.dispose();
    },
  };
}

function startOf({ startFromBeginning, startFromTime }: CosmosBinding, range: FeedRange): ChangeFeedStartFrom {
  if (startFromBeginning) return ChangeFeedStartFrom.Beginning(range);
  return startFromTime ? ChangeFeedStartFrom.Time(startFromTime, range) : ChangeFeedStartFrom.Now(range);
}

/** Tells the owners of leases apart; the same after a restart on the same state. */
async function instanceOf(state: HostState): Promise<string> {
  const known = state.get('host.instance');
  if (typeof known === 'string') return known;
  const made = randomUUID();
  await state.set('host.instance', made);
  return made;
}

/** What a client of the account is made from; checked here, so that a mistake is told before anything listens. */
function accountOf(name: string, settings: Settings, where: string): Account {
  const connection = resolveConnection(name, 'accountEndpoint', settings, where);
  if (connection.kind === 'identity') {
    const { address: endpoint, credential: aadCredentials } = connection;
    if (!/^https?:/.test(URL.parse(endpoint)?.protocol ?? ''))
      throw new Error(`${where}: the setting "${name}__accountEndpoint" is "${endpoint}", which is no https address.`);
    return { endpoint, aadCredentials };
  }
  const endpoint = /AccountEndpoint=([^;]+)/i.exec(connection.connectionString)?.[1];
  const key = /AccountKey=([^;]+)/i.exec(connection.connectionString)?.[1];
  if (!endpoint || !key)
    throw new Error(`${where}: the connection string in the setting "${name}" needs AccountEndpoint and AccountKey.`);
  return { endpoint, key };
}

// Without endpoint discovery the client talks to the address it was given, which is what one region means.
const connect = (account: Account): CosmosClient =>
  new CosmosClient({ ...account, connectionPolicy: { enableEndpointDiscovery: false } });
