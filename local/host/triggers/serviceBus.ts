// Service Bus queue and topic triggers by the unmodified @azure/service-bus 7.9.5. Success completes all messages of an
// invocation, a throw abandons them all. Sessions are read by a number of workers, each holding one session while it
// has messages; after a throw the session is given back, so that its order holds.
import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';
import { z } from 'zod';
import type { Binding, RegisteredFunction } from '../coreModule.ts';
import { Batcher, type BatchSizes } from './batcher.ts';
import type { TriggerContext } from './bindTriggers.ts';
import { resolveConnection } from './connection.ts';
import { messageRequest } from './messageData.ts';
import { Backoff } from './pause.ts';
import { seldom } from './seldom.ts';
import { retryOptionsOf } from './serviceBusRetry.ts';
import { serveSessions } from './serviceBusSessions.ts';
import type { Trigger } from './trigger.ts';
import { takeTurns } from './turns.ts';

const deadLetterSuffix = /\/\$deadletterqueue$/i;

const ServiceBusBinding = z
  .looseObject({
    connection: z.string(),
    queueName: z.string().optional(),
    topicName: z.string().optional(),
    subscriptionName: z.string().optional(),
    isSessionsEnabled: z.boolean().default(false),
    cardinality: z.enum(['one', 'many']).default('one'),
    autoCompleteMessages: z.boolean().optional(),
    dataType: z.enum(['string', 'binary']).default('string'),
  })
  .refine(
    ({ queueName, topicName, subscriptionName }) => queueName || (topicName && subscriptionName),
    'needs queueName, or topicName and subscriptionName',
  )
  .refine(
    ({ isSessionsEnabled, queueName = '', subscriptionName = '' }) =>
      !(isSessionsEnabled && (deadLetterSuffix.test(queueName) || deadLetterSuffix.test(subscriptionName))),
    { path: ['isSessionsEnabled'], message: 'must be false: a dead-letter queue has no sessions' },
  );

/** What the session and the plain loop need of one trigger. */
export interface Subscription {
  name: string;
  client: ServiceBusClient;
  entity: { queue: string } | { topic: string; subscription: string };
  context: TriggerContext;
  sizes: BatchSizes;
  /** Messages that the service may send at once: those of running batches and those fetched ahead. */
  credits: number;
  signal: AbortSignal;
  /** Runs the function and settles; false when the function threw. */
  handle: (receiver: ServiceBusReceiver, messages: ServiceBusReceivedMessage[]) => Promise<boolean>;
}

const closeWithin = 1000;

export function serviceBusTrigger(registered: RegisteredFunction, binding: Binding, context: TriggerContext): Trigger {
  const { name } = registered.metadata;
  const options = ServiceBusBinding.parse(binding);
  const connection = resolveConnection(
    options.connection,
    'fullyQualifiedNamespace',
    context.settings,
    `Function "${name}"`,
  );
  const isMany = options.cardinality === 'many';
  const isBinary = options.dataType === 'binary';
  const { serviceBus } = context.hostJson.extensions;
  // Node has no way to settle a message itself, so without this nothing would ever be completed.
  if (!(options.autoCompleteMessages ?? serviceBus.autoCompleteMessages))
    throw new Error(`Function "${name}": autoCompleteMessages must be true: a Node function cannot settle messages.`);
  const retryOptions = retryOptionsOf(serviceBus, options.isSessionsEnabled);
  const stopping = new AbortController();
  let client: ServiceBusClient | undefined;
  let served: Promise<void> = Promise.resolve();

  const ownTurn = takeTurns();
  const handle: Subscription['handle'] = async (receiver, messages) => {
    const invoke = async () => {
      await context.invoker.invoke(registered, messageRequest(messages, { isMany, isBinary }));
      return true;
    };
    const isDone = await invoke().catch((error: unknown) => {
      const ids = messages.map(({ messageId }) => messageId);
      context.log.failed(name, 'serviceBus', error, { messageIds: ids, sessionId: messages[0]?.sessionId });
      return false;
    });
    await ownTurn();
    const settled = await Promise.allSettled(
      messages.map((message) => (isDone ? receiver.completeMessage(message) : receiver.abandonMessage(message))),
    );
    const lost = settled.filter(({ status }) => status === 'rejected').length;
    if (lost > 0)
      context.log.line(
        'warning',
        name,
        `${lost} of ${messages.length} messages could not be settled and will come again`,
      );
    return isDone;
  };

  return {
    start() {
      client =
        connection.kind === 'identity'
          ? new ServiceBusClient(connection.address, connection.credential, { retryOptions })
          : new ServiceBusClient(connection.connectionString, { retryOptions });
      const parallel = isMany || options.isSessionsEnabled ? 1 : serviceBus.maxConcurrentCalls;
      const most = isMany ? serviceBus.maxMessageBatchSize : 1;
      const least = isMany ? serviceBus.minMessageBatchSize : 1;
      const subscription: Subscription = {
        ...{ name, client, context, handle },
        signal: stopping.signal,
        sizes: { most, least, parallel, patience: serviceBus.maxBatchWaitTime },
        credits: most * parallel + serviceBus.prefetchCount,
        entity: options.queueName
          ? { queue: options.queueName }
          : { topic: options.topicName ?? '', subscription: options.subscriptionName ?? '' },
      };
      served = options.isSessionsEnabled ? serveSessions(subscription) : serve(subscription);
    },
    async stop() {
      stopping.abort();
      await served;
      // Closing waits for pending accepts; what is left after a second holds no message.
      await Promise.race([client?.close(), new Promise((resolve) => setTimeout(resolve, closeWithin).unref())]);
    },
  };
}

/** Reads an entity without sessions until stopped; the library reconnects by itself. */
async function serve(subscription: Subscription): Promise<void> {
  const { context, name, signal, sizes, credits, handle } = subscription;
  const { maxAutoLockRenewalDuration } = context.hostJson.extensions.serviceBus;
  const backoff = new Backoff();
  const warn = seldom((message) => context.log.line('warning', name, `receiving: ${message}`));
  while (!signal.aborted) {
    const receiver = plainReceiver(subscription, maxAutoLockRenewalDuration);
    const batcher = new Batcher(sizes, async (messages) => {
      await handle(receiver, messages);
    });
    const ended = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => ended.resolve(), { once: true });
    const stream = receiver.subscribe(
      {
        processMessage: (message) => batcher.add(message),
        processError: async ({ error }) => {
          warn(error);
          if (receiver.isClosed) ended.resolve();
        },
      },
      { autoCompleteMessages: false, maxConcurrentCalls: credits },
    );
    await ended.promise;
    const closed = batcher.close();
    await stream.close().catch(() => {});
    await closed;
    await receiver.close().catch(() => {});
    if (!signal.aborted) await backoff.wait(signal);
  }
}

function plainReceiver({ client, entity }: Subscription, renewal: number): ServiceBusReceiver {
  const options = { skipParsingBodyAsJson: true, maxAutoLockRenewalDurationInMs: renewal };
  if ('topic' in entity) {
    const subscription = entity.subscription.replace(deadLetterSuffix, '');
    const isDeadLetter = subscription !== entity.subscription;
    return client.createReceiver(entity.topic, subscription, {
      ...options,
      ...(isDeadLetter && { subQueueType: 'deadLetter' }),
    });
  }
  const queue = entity.queue.replace(deadLetterSuffix, '');
  return client.createReceiver(queue, { ...options, ...(queue !== entity.queue && { subQueueType: 'deadLetter' }) });
}
