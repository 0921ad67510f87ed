import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { startHost } from '../../../local/host/startHost.ts';
import { impatient, start, temporaryDirectory } from '../servicebus/harness.ts';
import { namespace } from './fixtures/messages/namespace.ts';
import { behaviour, received } from './fixtures/messages/received.ts';

beforeEach(() => {
  received.length = 0;
  behaviour.handle = () => {};
});

async function startAll(options: Parameters<typeof start>[1] = {}, key?: string) {
  const bus = await start(namespace, options);
  const lines: string[] = [];
  const host = await startHost({
    appDirectory: join(import.meta.dirname, 'fixtures/messages'),
    settings: {
      Bus: key === undefined ? bus.connectionString : bus.connectionString.replace(/[^=]*$/, key),
      STREAMS_QUEUE: 'streams',
    },
    log: (line) => lines.push(line),
  });
  onTestFinished(() => host.stop());
  return { bus, host, lines };
}

const messagesOf = (name: string) =>
  received.filter((batch) => batch.function === name).flatMap((batch) => batch.messages);

test('sessions come in order, batched, each stream in one invocation at a time', async () => {
  const { bus } = await startAll();
  let most = 0;
  const running = new Map<unknown, number>();
  behaviour.handle = async ({ metadata }) => {
    const [session] = metadata['sessionIdArray'] as string[];
    running.set(session, (running.get(session) ?? 0) + 1);
    most = Math.max(most, running.get(session) ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running.set(session, (running.get(session) ?? 0) - 1);
  };
  const sender = bus.client().createSender('streams');
  const sessions = ['a', 'b', 'c', 'd'];
  for (const sessionId of sessions) {
    await sender.sendMessages(Array.from({ length: 30 }, (_, n) => ({ body: { sessionId, n }, sessionId })));
  }
  await vi.waitFor(() => expect(messagesOf('streams')).toHaveLength(120), { timeout: 10_000, interval: 10 });
  for (const sessionId of sessions) {
    const numbers = messagesOf('streams').filter((body) => (body as { sessionId: string }).sessionId === sessionId);
    expect(numbers).toEqual(Array.from({ length: 30 }, (_, n) => ({ sessionId, n })));
  }
  expect(most).toBe(1);
  const sizes = received.map((batch) => batch.messages.length);
  expect(Math.max(...sizes)).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(20);
});

test('a throw abandons the whole batch, which comes again first, with a higher delivery count', async () => {
  const { bus, lines } = await startAll();
  behaviour.handle = () => {
    if (received.length === 1) throw new Error('not yet');
  };
  const sender = bus.client().createSender('streams');
  await sender.sendMessages(Array.from({ length: 25 }, (_, n) => ({ body: n, sessionId: 's', messageId: `m${n}` })));
  await vi.waitFor(() => expect(messagesOf('streams').length).toBeGreaterThanOrEqual(45), {
    timeout: 10_000,
    interval: 10,
  });
  const [failed, ...after] = received;
  expect(failed?.metadata['deliveryCountArray']).toEqual(failed?.messages.map(() => 1));
  expect(after.flatMap((batch) => batch.messages)).toEqual(Array.from({ length: 25 }, (_, n) => n));
  expect(after[0]?.metadata['deliveryCountArray']).toEqual(expect.arrayContaining([2]));
  expect(lines.map((line) => JSON.parse(line) as { message: string; source: string })).toContainEqual(
    expect.objectContaining({ source: 'streams', message: 'failed: not yet', sessionId: 's' }),
  );
});

test('a message that always fails ends in the dead-letter queue, and that queue can be listened to', async () => {
  const { bus } = await startAll();
  behaviour.handle = (batch) => {
    if (batch.function === 'single') throw new Error('never');
  };
  await bus
    .client()
    .createSender('single')
    .sendMessages({ body: 'plain words', applicationProperties: { kind: 'k' } });
  await vi.waitFor(() => expect(messagesOf('dead')).toEqual(['plain words']), { timeout: 10_000, interval: 10 });
  expect(received.map((batch) => [batch.function, batch.metadata['deliveryCount']])).toEqual([
    ['single', 1],
    ['single', 2],
    ['dead', expect.any(Number)],
  ]);
  const dead = received.at(-1)?.metadata;
  expect(dead).not.toHaveProperty('deadLetterReason');
  expect(dead).toMatchObject({
    applicationProperties: { kind: 'k', deadLetterReason: 'MaxDeliveryCountExceeded' },
  });
});

test('what fails in a session of a subscription can be read from its dead-letter queue, which has none', async () => {
  const { bus } = await startAll();
  behaviour.handle = (batch) => {
    if (batch.function === 'strict') throw new Error('never');
  };
  await bus.client().createSender('news').sendMessages({ body: 'odd', sessionId: 's' });
  await vi.waitFor(() => expect(messagesOf('strictDead')).toEqual(['odd']), { timeout: 10_000, interval: 5 });
  expect(messagesOf('strict')).toEqual(['odd']);
  expect(received.at(-1)?.metadata['sessionIdArray']).toEqual(['s']);
});

test('one message comes with all that Azure tells about it; texts that are JSON are parsed, as there', async () => {
  const { bus } = await startAll();
  const sent = Date.now();
  const message = {
    body: { n: 1 },
    messageId: '42',
    contentType: 'application/json',
    correlationId: 'c',
    subject: 'about',
    to: 'somebody',
    replyTo: 'queue',
    replyToSessionId: 'answers',
    timeToLive: 60_000,
    applicationProperties: { Kind: 'k', count: 3 },
  };
  await bus.client().createSender('single').sendMessages(message);
  await vi.waitFor(() => expect(messagesOf('single')).toEqual([{ n: 1 }]), { timeout: 10_000, interval: 5 });
  const { enqueuedTimeUtc, enqueuedTime, expiresAtUtc, ...metadata } = received[0]?.metadata ?? {};
  const enqueued = Date.parse(String(enqueuedTimeUtc));
  expect(Math.abs(enqueued - sent)).toBeLessThan(5000);
  expect(Date.parse(String(enqueuedTime))).toBe(enqueued);
  expect(Date.parse(String(expiresAtUtc))).toBe(enqueued + 60_000);
  expect(metadata).toEqual({
    ...{ messageId: 42, contentType: 'application/json', correlationId: 'c', subject: 'about', label: 'about' },
    ...{ to: 'somebody', replyTo: 'queue', replyToSessionId: 'answers', sequenceNumber: 1, deliveryCount: 1 },
    lockToken: expect.stringMatching(/^[\da-f-]{36}$/),
    expiresAt: expect.stringMatching(/\+00:00$/),
    applicationProperties: { kind: 'k', count: 3 },
    userProperties: { kind: 'k', count: 3 },
  });
});

test('a body is text, with a mark where it is no UTF-8, or bytes where the binding says binary', async () => {
  const { bus } = await startAll();
  const body = Buffer.from([0x61, 0xff, 0x62]);
  await bus.client().createSender('single').sendMessages({ body });
  await bus.client().createSender('bytes').sendMessages({ body });
  await vi.waitFor(() => expect(received).toHaveLength(2), { timeout: 10_000, interval: 5 });
  expect(messagesOf('single')).toEqual(['a\ufffdb']);
  expect(messagesOf('bytes')).toEqual([body]);
});

test('a body that is an AMQP value other than text cannot be bound, so its message is given back', async () => {
  const { bus, lines } = await startAll();
  await bus.client().createSender('bytes').sendMessages({ body: 7, bodyType: 'value' });
  const dead = bus.client().createReceiver('bytes', { subQueueType: 'deadLetter' });
  const [message] = await dead.receiveMessages(1, { maxWaitTimeInMs: 10_000 });
  expect(message?.deadLetterReason).toBe('MaxDeliveryCountExceeded');
  expect(received).toEqual([]);
  expect(lines.join()).toContain('A message whose body is an AMQP value of type number cannot be bound to bytes.');
});

test('a topic subscription delivers, and handled messages are gone', async () => {
  const { bus, host } = await startAll();
  await bus
    .client()
    .createSender('news')
    .sendMessages([{ body: { n: 1 } }, { body: { n: 2 } }]);
  await vi.waitFor(() => expect(messagesOf('news')).toEqual([{ n: 1 }, { n: 2 }]), { timeout: 10_000, interval: 10 });
  await host.stop();
  const left = await bus.client().createReceiver('news', 'all').peekMessages(10);
  expect(left).toEqual([]);
});

test('stopping lets the running invocation finish and settle', async () => {
  const { bus, host } = await startAll();
  let finish: () => void = () => {};
  behaviour.handle = () => new Promise<void>((resolve) => (finish = resolve));
  await bus.client().createSender('streams').sendMessages({ body: 1, sessionId: 's' });
  await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 10_000, interval: 10 });
  const stopped = host.stop();
  finish();
  await stopped;
  const receiver = await bus.client(impatient).acceptSession('streams', 's');
  expect(await receiver.peekMessages(1)).toEqual([]);
});

test('a key that is refused is told with the reason, once and not with every try', async () => {
  const { lines } = await startAll({}, 'wrong');
  const refused = (name: string) =>
    lines.filter((line) => line.includes(`"source":"${name}"`) && line.includes('has an invalid signature'));
  for (const name of ['single', 'streams'])
    await vi.waitFor(() => expect(refused(name)).not.toEqual([]), { timeout: 15_000, interval: 10 });
  // Others go on trying meanwhile.
  await vi.waitFor(() => expect(refused('bytes')).not.toEqual([]), { timeout: 15_000, interval: 10 });
  expect([refused('single').length, refused('streams').length]).toEqual([1, 1]);
});

test('after the broker has been away, messages flow again', async () => {
  const dataDir = temporaryDirectory();
  const { bus } = await startAll({ dataDir });
  await bus.client().createSender('streams').sendMessages({ body: 'before', sessionId: 's' });
  await vi.waitFor(() => expect(messagesOf('streams')).toEqual(['before']), { timeout: 10_000, interval: 10 });
  await bus.stop();
  const again = await start(namespace, { dataDir, port: Number(bus.host.split(':')[1]) });
  await again.client().createSender('streams').sendMessages({ body: 'after', sessionId: 's' });
  await again.client().createSender('single').sendMessages({ body: 'single after' });
  await vi.waitFor(() => expect(messagesOf('streams')).toEqual(['before', 'after']), { timeout: 15_000, interval: 10 });
  await vi.waitFor(() => expect(messagesOf('single')).toEqual(['single after']), { timeout: 15_000, interval: 10 });
});

test('messages that end at the same moment are settled each by its own outcome', async () => {
  const { bus } = await startAll();
  const count = 6;
  let running = 0;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  behaviour.handle = async ({ function: name, messages, metadata }) => {
    if (name !== 'single') return;
    if (++running === count) open();
    await gate;
    if (Number(messages[0]) % 2 === 1 && metadata['deliveryCount'] === 1) throw new Error('not yet');
  };
  const messages = Array.from({ length: count }, (_, body) => ({ body }));
  await bus.client().createSender('single').sendMessages(messages);
  const times = () => messages.map(({ body }) => messagesOf('single').filter((each) => each === body).length);
  await vi.waitFor(() => expect(times()).toEqual([1, 2, 1, 2, 1, 2]), { timeout: 5000, interval: 10 });
  const left = async () => (await bus.admin().getQueueRuntimeProperties('single')).totalMessageCount;
  await expect.poll(left, { interval: 20 }).toBe(0);
});
