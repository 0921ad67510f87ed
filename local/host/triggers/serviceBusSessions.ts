// Session entities: a fixed number of workers, each accepting the next session that has messages, holding it while
// more arrive and giving it back after a short silence.
import { isServiceBusError, type ServiceBusSessionReceiver } from '@azure/service-bus';
import { Batcher } from './batcher.ts';
import { Backoff } from './pause.ts';
import { seldom } from './seldom.ts';
import type { Subscription } from './serviceBus.ts';

export async function serveSessions(subscription: Subscription): Promise<void> {
  const { context, name } = subscription;
  const { maxConcurrentSessions } = context.hostJson.extensions.serviceBus;
  const warn = seldom((message) => context.log.line('warning', name, `accepting a session: ${message}`));
  await Promise.all(Array.from({ length: maxConcurrentSessions }, () => work(subscription, warn)));
}

type Warn = (error: unknown) => void;

async function work(subscription: Subscription, warn: Warn): Promise<void> {
  const { signal, context, name } = subscription;
  const backoff = new Backoff();
  while (!signal.aborted) {
    const receiver = await accept(subscription, backoff, warn);
    if (!receiver) continue;
    backoff.reset();
    try {
      await serveSession(subscription, receiver);
    } catch (error) {
      context.log.line('warning', name, `session ${receiver.sessionId}: ${String(error)}`);
    }
    await receiver.close().catch(() => {});
  }
}

/** The next session with messages; undefined when none came in time, the service is away, or the trigger stops. */
async function accept(
  subscription: Subscription,
  backoff: Backoff,
  warn: Warn,
): Promise<ServiceBusSessionReceiver | undefined> {
  const { client, entity, context, signal } = subscription;
  const renewal = context.hostJson.extensions.serviceBus.maxAutoLockRenewalDuration;
  const options = { skipParsingBodyAsJson: true, maxAutoLockRenewalDurationInMs: renewal };
  const accepting =
    'topic' in entity
      ? client.acceptNextSession(entity.topic, entity.subscription, options)
      : client.acceptNextSession(entity.queue, options);
  const stopped = new Promise<'stopped'>((resolve) => {
    if (signal.aborted) resolve('stopped');
    else signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  try {
    const receiver = await Promise.race([accepting, stopped]);
    if (receiver !== 'stopped') return receiver;
    // A session that is granted after all goes straight back.
    accepting.then((late) => late.close()).catch(() => {});
    return undefined;
  } catch (error) {
    if (isServiceBusError(error) && error.code === 'ServiceTimeout') return undefined;
    warn(error);
    await backoff.wait(signal);
    return undefined;
  }
}

async function serveSession(subscription: Subscription, receiver: ServiceBusSessionReceiver): Promise<void> {
  const { sizes, credits, handle, signal, context, name } = subscription;
  const { sessionIdleTimeout, clientRetryOptions } = context.hostJson.extensions.serviceBus;
  const idleAfter = sessionIdleTimeout ?? clientRetryOptions.tryTimeout;
  const ended = Promise.withResolvers<void>();
  const end = () => ended.resolve();
  let isRunning = false;
  let idle: NodeJS.Timeout | undefined;
  // A session that falls silent ends, but first what waits for a full batch is handled.
  const arm = () => {
    clearTimeout(idle);
    if (!isRunning) idle = setTimeout(() => (batcher.isWaiting ? batcher.flush() : end()), idleAfter);
  };
  const batcher = new Batcher(sizes, async (messages) => {
    clearTimeout(idle);
    isRunning = true;
    // Later messages of the session may be here already; they must not overtake those just abandoned.
    if (!(await handle(receiver, messages))) {
      end();
      void batcher.close();
    }
    isRunning = false;
    arm();
  });
  arm();
  signal.addEventListener('abort', end, { once: true });
  const stream = receiver.subscribe(
    {
      processMessage: (message) => {
        arm();
        return batcher.add(message);
      },
      processError: async ({ error }) => {
        context.log.line('debug', name, `session ${receiver.sessionId}: ${error.message}`);
        end();
      },
    },
    { autoCompleteMessages: false, maxConcurrentCalls: credits },
  );
  await ended.promise;
  signal.removeEventListener('abort', end);
  // The promises of unstarted messages must resolve first: closing the stream waits for them.
  const closed = batcher.close();
  await stream.close().catch(() => {});
  await closed;
  clearTimeout(idle);
}
