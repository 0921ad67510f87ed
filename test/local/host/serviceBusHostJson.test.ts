import { join } from 'node:path';
import { RetryMode } from '@azure/service-bus';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { readHostJson } from '../../../local/host/hostJson.ts';
import { startHost } from '../../../local/host/startHost.ts';
import { retryOptionsOf } from '../../../local/host/triggers/serviceBusRetry.ts';
import { start } from '../servicebus/harness.ts';
import { namespace } from './fixtures/messages/namespace.ts';
import { type Batch, behaviour, received } from './fixtures/messages/received.ts';

const soon = { timeout: 10_000, interval: 5 };
const prefix = 'AzureFunctionsJobHost__';

beforeEach(() => {
  received.length = 0;
  behaviour.handle = () => {};
});

/** Starts broker and host; `members` override those of host.json, as settings do. */
async function startWith(members: Record<string, string>) {
  const bus = await start(namespace);
  const lines: Record<string, unknown>[] = [];
  const overrides = Object.entries(members).map(([member, value]) => [prefix + member.replaceAll('.', '__'), value]);
  onTestFinished(() => {
    for (const [name = ''] of overrides) delete process.env[name];
  });
  const host = await startHost({
    appDirectory: join(import.meta.dirname, 'fixtures/messages'),
    settings: { Bus: bus.connectionString, STREAMS_QUEUE: 'streams', ...Object.fromEntries(overrides) },
    log: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  onTestFinished(() => host.stop());
  return { bus, host, lines };
}

const batchesOf = (name: string): Batch[] => received.filter((batch) => batch.function === name);
const held = () => new Promise<void>((resolve) => onTestFinished(() => resolve()));

test('prefetchCount messages are locked ahead of those that run, and no more', async () => {
  const { bus } = await startWith({
    'extensions.serviceBus.maxConcurrentCalls': '2',
    'extensions.serviceBus.prefetchCount': '3',
  });
  behaviour.handle = held;
  const bodies = Array.from({ length: 8 }, (_, n) => ({ body: n }));
  await bus.client().createSender('single').sendMessages(bodies);
  await vi.waitFor(() => expect(received).toHaveLength(2), soon);
  const left = await bus.client().createReceiver('single').receiveMessages(3, { maxWaitTimeInMs: 5000 });
  expect(left.map(({ body }) => body as number)).toEqual([5, 6, 7]);
});

test('maxConcurrentSessions sessions are held at once, and no more', async () => {
  const { bus } = await startWith({ 'extensions.serviceBus.maxConcurrentSessions': '2' });
  behaviour.handle = held;
  const sessions = ['a', 'b', 'c'];
  for (const sessionId of sessions) await bus.client().createSender('streams').sendMessages({ body: 1, sessionId });
  await vi.waitFor(() => expect(received).toHaveLength(2), soon);
  const left = await bus.client().acceptNextSession('streams');
  const taken = received.flatMap(({ metadata }) => metadata['sessionIdArray'] as string[]);
  expect([...taken, left.sessionId].toSorted()).toEqual(sessions);
});

test('a batch waits for minMessageBatchSize messages, at most maxBatchWaitTime', async () => {
  const { bus } = await startWith({
    'extensions.serviceBus.minMessageBatchSize': '3',
    'extensions.serviceBus.maxBatchWaitTime': '00:00:00.400',
  });
  const sender = bus.client().createSender('news');
  await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3 }]);
  await vi.waitFor(() => expect(batchesOf('news')).toHaveLength(1), soon);
  const full = Date.now();
  expect(batchesOf('news')[0]?.messages).toEqual([1, 2, 3]);
  await sender.sendMessages({ body: 4 });
  await vi.waitFor(() => expect(batchesOf('news')).toHaveLength(2), soon);
  expect(Date.now() - full).toBeGreaterThanOrEqual(400);
  expect(batchesOf('news')[1]?.messages).toEqual([4]);
  // A session that falls silent ends with what it has.
  await bus.client().createSender('streams').sendMessages({ body: 5, sessionId: 's' });
  await vi.waitFor(() => expect(batchesOf('streams').flatMap(({ messages }) => messages)).toEqual([5]), soon);
});

test('a batch comes with lists, which leave out empty texts, as those of Azure do', async () => {
  const { bus } = await startWith({ 'extensions.serviceBus.minMessageBatchSize': '2' });
  await bus
    .client()
    .createSender('news')
    .sendMessages([
      { body: 'a', messageId: 'm1', applicationProperties: { n: 1 } },
      { body: 'b', messageId: 'm2', correlationId: 'c' },
    ]);
  await vi.waitFor(() => expect(batchesOf('news').map(({ messages }) => messages)).toEqual([['a', 'b']]), soon);
  expect(batchesOf('news')[0]?.metadata).toMatchObject({
    messageIdArray: ['m1', 'm2'],
    correlationIdArray: ['c'],
    deliveryCountArray: [1, 1],
    sequenceNumberArray: [1, 2],
    lockTokenArray: [expect.any(String), expect.any(String)],
    applicationPropertiesArray: [{ n: 1 }, {}],
  });
});

test('a lock is renewed while the handler runs', async () => {
  const { bus } = await startWith({});
  behaviour.handle = () => new Promise((resolve) => setTimeout(resolve, 1900));
  await bus.client().createSender('single').sendMessages({ body: 'slow' });
  await vi.waitFor(async () => {
    const left = await bus.client().createReceiver('single').peekMessages(1);
    expect([received.length, left.length]).toEqual([1, 0]);
  }, soon);
  expect(batchesOf('single')[0]?.metadata['deliveryCount']).toBe(1);
});

test('with a maxAutoLockRenewalDuration of nothing, a handler that outlasts the lock sees its message again', async () => {
  const { bus } = await startWith({ 'extensions.serviceBus.maxAutoLockRenewalDuration': '00:00:00' });
  behaviour.handle = held;
  await bus.client().createSender('single').sendMessages({ body: 'slow' });
  await vi.waitFor(
    () => expect(batchesOf('single').map((batch) => batch.metadata['deliveryCount'])).toEqual([1, 2]),
    soon,
  );
});

test('an invocation beyond functionTimeout has failed, and its message comes again', async () => {
  const { bus, lines } = await startWith({ functionTimeout: '00:00:01' });
  behaviour.handle = (batch) => (batch.metadata['deliveryCount'] === 1 ? held() : undefined);
  await bus.client().createSender('single').sendMessages({ body: 'stuck' });
  await vi.waitFor(
    () => expect(batchesOf('single').map((batch) => batch.metadata['deliveryCount'])).toEqual([1, 2]),
    soon,
  );
  const message = 'failed: Timeout value of 00:00:01 was exceeded by function: single';
  expect(lines).toContainEqual(expect.objectContaining({ level: 'error', source: 'single', message }));
});

test('a retry policy, which Service Bus triggers do not have, is ignored with a warning', async () => {
  const { lines } = await startWith({});
  const message = 'its retry policy is ignored, as in Azure: a serviceBusTrigger has none';
  expect(lines).toContainEqual(expect.objectContaining({ level: 'warning', source: 'single', message }));
});

test('without autoCompleteMessages no message would ever be settled, so the functions do not run', async () => {
  await expect(startWith({ 'extensions.serviceBus.autoCompleteMessages': 'false' })).rejects.toThrow(
    'Function "streams": autoCompleteMessages must be true: a Node function cannot settle messages.',
  );
});

test('clientRetryOptions reach the client; one for sessions leaves asking again to its workers', () => {
  const member = (name: string) => `${prefix}extensions__serviceBus__clientRetryOptions__${name}`;
  const settings = {
    ...{ [member('mode')]: 'fixed', [member('tryTimeout')]: '00:00:20', [member('maxRetries')]: '7' },
    ...{ [member('delay')]: '00:00:02', [member('maxDelay')]: '00:00:09' },
  };
  const { serviceBus } = readHostJson(join(import.meta.dirname, 'fixtures/messages'), settings).extensions;
  const delays = { mode: RetryMode.Fixed, retryDelayInMs: 2000, maxRetryDelayInMs: 9000 };
  expect(retryOptionsOf(serviceBus, false)).toEqual({ ...delays, timeoutInMs: 20_000, maxRetries: 7 });
  expect(retryOptionsOf(serviceBus, true)).toEqual({ ...delays, timeoutInMs: 5000, maxRetries: 0 });
});
