// Cosmos DB triggers: the change feed of one container, pulled by the unmodified @azure/cosmos 4.10.1. The checkpoint
// lies in the host's own state and moves after the handler has succeeded, so a change may come twice and none is lost.
import { ChangeFeedStartFrom, type ChangeFeedPullModelIterator, CosmosClient } from '@azure/cosmos';
import { z } from 'zod';
import type { Binding, RegisteredFunction } from '../coreModule.ts';
import type { TriggerContext } from './bindTriggers.ts';
import { resolveConnection } from './connection.ts';
import { Backoff, pause } from './pause.ts';
import type { Trigger } from './trigger.ts';

const CosmosBinding = z.looseObject({
  connection: z.string(),
  databaseName: z.string(),
  containerName: z.string(),
  leaseContainerPrefix: z.string().default(''),
  feedPollDelay: z.number().nonnegative().default(5000),
  maxItemsPerInvocation: z.number().int().positive().default(100),
  startFromBeginning: z.boolean().default(false),
  startFromTime: z.coerce.date().optional(),
  changeFeedMode: z.literal('LatestVersion', 'only LatestVersion is supported by this host').default('LatestVersion'),
});
type CosmosBinding = z.output<typeof CosmosBinding>;

const notModified = 304;

export function cosmosTrigger(registered: RegisteredFunction, binding: Binding, context: TriggerContext): Trigger {
  const { name } = registered.metadata;
  const options = CosmosBinding.parse(binding);
  const connection = resolveConnection(options.connection, 'accountEndpoint', context.settings, `Function "${name}"`);
  const stopping = new AbortController();
  let client: CosmosClient | undefined;
  let served: Promise<void> = Promise.resolve();
  return {
    start() {
      // Without endpoint discovery the client talks to the address it was given, which is what one region means.
      const connectionPolicy = { enableEndpointDiscovery: false };
      client =
        connection.kind === 'identity'
          ? new CosmosClient({ endpoint: connection.address, aadCredentials: connection.credential, connectionPolicy })
          : new CosmosClient({ ...parseConnectionString(connection.connectionString), connectionPolicy });
      served = follow(client, registered, options, context, stopping.signal);
    },
    async stop() {
      stopping.abort();
      await served;
      client?.dispose();
    },
  };
}

async function follow(
  client: CosmosClient,
  registered: RegisteredFunction,
  options: CosmosBinding,
  context: TriggerContext,
  signal: AbortSignal,
): Promise<void> {
  const { name } = registered.metadata;
  const stateName = ['cosmos', name, options.databaseName, options.containerName, options.leaseContainerPrefix].join(
    '.',
  );
  const backoff = new Backoff();
  let checkpoint = z.string().optional().parse(context.state.get(stateName));
  let feed: ChangeFeedPullModelIterator<unknown> | undefined;
  while (!signal.aborted) {
    try {
      feed ??= openFeed(client, options, checkpoint);
      const page = await feed.readNext();
      const changes: unknown[] = page.statusCode === notModified ? [] : page.result;
      if (changes.length > 0) await context.invoker.invoke(registered, { data: { json: JSON.stringify(changes) } });
      // The first checkpoint is stored even without a change: it pins "from now on" across restarts.
      if (changes.length > 0 || checkpoint === undefined) {
        checkpoint = page.continuationToken;
        await context.state.set(stateName, checkpoint);
      }
      backoff.reset();
      if (changes.length === 0) await pause(options.feedPollDelay, signal);
    } catch (error) {
      if (signal.aborted) return;
      context.log.failed(name, 'cosmosDB', error);
      feed = undefined;
      await backoff.wait(signal);
    }
  }
}

function openFeed(client: CosmosClient, options: CosmosBinding, checkpoint: string | undefined) {
  const from =
    checkpoint !== undefined
      ? ChangeFeedStartFrom.Continuation(checkpoint)
      : options.startFromBeginning
        ? ChangeFeedStartFrom.Beginning()
        : options.startFromTime
          ? ChangeFeedStartFrom.Time(options.startFromTime)
          : ChangeFeedStartFrom.Now();
  return client
    .database(options.databaseName)
    .container(options.containerName)
    .items.getChangeFeedIterator<unknown>({ changeFeedStartFrom: from, maxItemCount: options.maxItemsPerInvocation });
}

function parseConnectionString(text: string): { endpoint: string; key: string } {
  const endpoint = /AccountEndpoint=([^;]+)/i.exec(text)?.[1];
  const key = /AccountKey=([^;]+)/i.exec(text)?.[1];
  if (!endpoint || !key) throw new Error('A Cosmos DB connection string needs AccountEndpoint and AccountKey.');
  return { endpoint, key };
}
