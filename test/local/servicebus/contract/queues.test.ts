import { ServiceBusClient, ServiceBusError } from '@azure/service-bus';
import { expect, it } from 'vitest';
import { bodies, briefly, only, soon, useContract } from './contract.ts';

const bus = useContract();
const inTenSeconds = () => bus.inTime(10_000);

it('carries a message with all it says from a sender to a receiver, once', async () => {
  const queue = await bus.queue();
  const sent = {
    body: { n: 1 },
    messageId: 'a',
    subject: 's',
    to: 'there',
    replyTo: 'here',
    contentType: 'application/json',
    correlationId: 'c',
    applicationProperties: { fraction: 1.5, flag: true, when: new Date(5), text: 'ü' },
  };
  await bus.client.createSender(queue).sendMessages(sent);
  const receiver = bus.client.createReceiver(queue);
  const message = await only(receiver);
  // The client shows timestamps as numbers.
  const applicationProperties = { ...sent.applicationProperties, when: 5 };
  expect(message).toMatchObject({ ...sent, applicationProperties, deliveryCount: 0, state: 'active' });
  expect(Math.abs(message.enqueuedTimeUtc!.getTime() - Date.now())).toBeLessThan(60_000);
  await receiver.completeMessage(message);
  expect(await receiver.receiveMessages(1, briefly)).toEqual([]);
});

it('keeps every kind of body as it was sent', async () => {
  const queue = await bus.queue();
  const binary = Buffer.from([0, 255, 1]);
  await bus.client
    .createSender(queue)
    .sendMessages([
      { body: binary, properties: { contentType: 'application/octet-stream' } },
      { body: null },
      { bodyType: 'value', body: 'text' },
      { bodyType: 'sequence', body: [[1, 'two']] },
      { bodyType: 'data', body: 'data', header: { priority: 3 }, footer: { f: 1 }, deliveryAnnotations: { d: 1 } },
    ]);
  const receiver = bus.client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
  const found = [];
  while (found.length < 5) found.push(...(await receiver.receiveMessages(5 - found.length, soon)));
  expect(bodies(found)).toEqual([binary, null, 'text', [[1, 'two']], 'data']);
  expect(found.map((message) => message._rawAmqpMessage.bodyType)).toEqual([
    'data',
    'data',
    'value',
    'sequence',
    'data',
  ]);
  expect(found[4]?._rawAmqpMessage).toMatchObject({ header: { priority: 3 }, footer: { f: 1 } });
});

it('serves the same client over plain AMQP on the same port', async () => {
  if (process.env['SERVICEBUS_CONTRACT']) return;
  const queue = await bus.queue();
  const plain = new ServiceBusClient(`${bus.connectionString};UseDevelopmentEmulator=true`);
  await plain.createSender(queue).sendMessages({ body: 'x' });
  expect(await only(plain.createReceiver(queue, { receiveMode: 'receiveAndDelete' }))).toMatchObject({ body: 'x' });
  await plain.close();
});

it('accepts a batch whole or not at all', async () => {
  const queue = await bus.queue({ requiresSession: true });
  const sender = bus.client.createSender(queue);
  await expect(sender.sendMessages([{ body: 1, sessionId: 'a' }, { body: 2 }])).rejects.toThrow(/session/i);
  await sender.sendMessages([{ body: 3, sessionId: 'a' }]);
  const receiver = await bus.client.acceptSession(queue, 'a');
  expect(bodies(await receiver.peekMessages(10))).toEqual([3]);
  await receiver.close();
});

it('keeps order, batches and sizes above one frame', async () => {
  const queue = await bus.queue();
  const sender = bus.client.createSender(queue);
  const big = 'x'.repeat(200_000);
  await sender.sendMessages({ body: big });
  const batch = await sender.createMessageBatch();
  for (let i = 0; i < 100; i++) expect(batch.tryAddMessage({ body: i })).toBe(true);
  await sender.sendMessages(batch);
  const receiver = bus.client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
  const found: unknown[] = [];
  while (found.length < 101) found.push(...bodies(await receiver.receiveMessages(101 - found.length, soon)));
  expect(found).toEqual([big, ...Array.from({ length: 100 }, (_, i) => i)]);
});

it('refuses a message and a batch above the limit of the tier', async () => {
  const sender = bus.client.createSender(await bus.queue());
  const large = { body: 'x'.repeat(300_000) };
  await expect(sender.sendMessages(large)).rejects.toMatchObject({ code: 'MessageSizeExceeded' });
  const batch = await sender.createMessageBatch();
  expect(batch.maxSizeInBytes).toBeGreaterThanOrEqual(262_144);
  expect(batch.tryAddMessage({ body: 'x'.repeat(batch.maxSizeInBytes) })).toBe(false);
});

it('gives an abandoned message again with one more attempt, and its new properties', async () => {
  const queue = await bus.queue();
  const applicationProperties = { kept: 'k', changed: 1 };
  await bus.client.createSender(queue).sendMessages({ body: 1, applicationProperties });
  const receiver = bus.client.createReceiver(queue);
  await receiver.abandonMessage(await only(receiver), { changed: 'yes' });
  const again = await only(receiver);
  expect(again.deliveryCount).toBe(1);
  expect(again.applicationProperties).toEqual({ kept: 'k', changed: 'yes' });
  await receiver.completeMessage(again);
});

it('moves a message to the dead-letter queue after its last attempt', async () => {
  const queue = await bus.queue({ maxDeliveryCount: 2 });
  await bus.client.createSender(queue).sendMessages({ body: 'poison', messageId: 'p' });
  const receiver = bus.client.createReceiver(queue);
  for (let i = 0; i < 2; i++) await receiver.abandonMessage(await only(receiver));
  expect(await receiver.receiveMessages(1, briefly)).toEqual([]);
  const dead = bus.client.createReceiver(queue, { subQueueType: 'deadLetter' });
  const message = await only(dead);
  expect(message).toMatchObject({
    body: 'poison',
    messageId: 'p',
    deadLetterReason: 'MaxDeliveryCountExceeded',
    deadLetterSource: queue,
  });
  await dead.completeMessage(message);
});

it('dead-letters on request with reason, description and properties, and never twice', async () => {
  const queue = await bus.queue({ lockDuration: 'PT5S' });
  await bus.client.createSender(queue).sendMessages({ body: 1 });
  const receiver = bus.client.createReceiver(queue);
  const options = { deadLetterReason: 'r', deadLetterErrorDescription: 'd', extra: 7 };
  await receiver.deadLetterMessage(await only(receiver), options);
  const graves = bus.client.createReceiver(queue, { subQueueType: 'deadLetter', maxAutoLockRenewalDurationInMs: 0 });
  const dead = await only(graves);
  expect(dead).toMatchObject({ deadLetterReason: 'r', deadLetterErrorDescription: 'd' });
  expect(dead.applicationProperties).toMatchObject({ extra: 7 });
  await expect(graves.deadLetterMessage(dead)).rejects.toThrow();
  await bus.pass(5500);
  expect(await only(graves)).toMatchObject({ body: 1, deadLetterReason: 'r', deliveryCount: 1 });
});

it('sets a deferred message aside until it is asked for by number', async () => {
  const queue = await bus.queue();
  await bus.client.createSender(queue).sendMessages([{ body: 1 }, { body: 2 }]);
  const receiver = bus.client.createReceiver(queue);
  const numbers = [];
  for (let i = 0; i < 2; i++) {
    const message = await only(receiver);
    numbers.push(message.sequenceNumber!);
    await receiver.deferMessage(message, { note: i });
  }
  expect(await receiver.receiveMessages(1, briefly)).toEqual([]);
  expect((await receiver.peekMessages(5)).map(({ state }) => state)).toEqual(['deferred', 'deferred']);
  const [first, second] = await receiver.receiveDeferredMessages(numbers);
  expect([first, second]).toMatchObject([
    { body: 1, applicationProperties: { note: 0 } },
    { body: 2, applicationProperties: { note: 1 } },
  ]);
  await receiver.completeMessage(first!);
  // Given back, it is still deferred.
  await receiver.abandonMessage(second!);
  const [again] = await receiver.receiveDeferredMessages(numbers[1]!);
  expect(again).toMatchObject({ body: 2, deliveryCount: 1 });
  await receiver.deadLetterMessage(again!);
  await expect(receiver.receiveDeferredMessages(numbers[0]!)).rejects.toMatchObject({ code: 'MessageNotFound' });
  const deleting = bus.client.createReceiver(queue, { receiveMode: 'receiveAndDelete', subQueueType: 'deadLetter' });
  expect(await only(deleting)).toMatchObject({ body: 2 });
});

it('gives a message to the next receiver when its lock expires, and refuses the late settlement', async () => {
  const queue = await bus.queue({ lockDuration: 'PT5S' });
  await bus.client.createSender(queue).sendMessages({ body: 1 });
  const slow = bus.client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 });
  const held = await only(slow);
  await bus.pass(5500);
  const next = bus.another().createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 });
  const message = await only(next);
  expect(message.deliveryCount).toBe(1);
  const late = slow.completeMessage(held);
  await expect(late).rejects.toBeInstanceOf(ServiceBusError);
  await expect(late).rejects.toMatchObject({ code: 'MessageLockLost' });
  await expect(slow.renewMessageLock(held)).rejects.toMatchObject({ code: 'MessageLockLost' });
  await next.completeMessage(message);
});

it('keeps a message locked as long as its lock is renewed', async () => {
  const queue = await bus.queue({ lockDuration: 'PT5S' });
  await bus.client.createSender(queue).sendMessages({ body: 1 });
  const receiver = bus.client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 });
  const message = await only(receiver);
  const before = message.lockedUntilUtc!;
  for (let i = 0; i < 2; i++) {
    await bus.pass(3000);
    expect((await receiver.renewMessageLock(message)).getTime()).toBeGreaterThan(before.getTime() + 2000);
  }
  await receiver.completeMessage(message);
});

it('lets a receiver settle what it holds after it was closed', async () => {
  const queue = await bus.queue();
  await bus.client.createSender(queue).sendMessages([{ body: 1 }, { body: 2 }]);
  const receiver = bus.client.createReceiver(queue);
  const [first, second] = [await only(receiver), await only(receiver)];
  await receiver.close();
  const other = bus.client.createReceiver(queue);
  expect(await other.receiveMessages(1, briefly)).toEqual([]);
  await receiver.completeMessage(first).catch(() => {});
  await receiver.abandonMessage(second).catch(() => {});
  const left = await other.peekMessages(5);
  // This client refuses to settle on a closed receiver; one that does not finds the locks still there.
  expect(bodies(left)).toEqual([1, 2]);
});

it('drops an expired message, or dead-letters it where the queue says so', async () => {
  const keeping = await bus.queue({ deadLetteringOnMessageExpiration: true });
  const dropping = await bus.queue({ defaultMessageTimeToLive: 'PT5S' });
  await bus.client.createSender(keeping).sendMessages({ body: 1, timeToLive: 5000 });
  await bus.client.createSender(dropping).sendMessages({ body: 1, timeToLive: 50_000 });
  const [message] = await bus.client.createReceiver(dropping).peekMessages(1);
  expect(message!.expiresAtUtc!.getTime() - message!.enqueuedTimeUtc!.getTime()).toBe(5000);
  await bus.pass(6000);
  const dead = await only(bus.client.createReceiver(keeping, { subQueueType: 'deadLetter' }));
  expect(dead.deadLetterReason).toBe('TTLExpiredException');
  for (const name of [keeping, dropping]) {
    expect(await bus.client.createReceiver(name).receiveMessages(1, briefly)).toEqual([]);
  }
});

it('accepts a duplicate and drops it within the window, even after the first was completed', async () => {
  const duplicates = { requiresDuplicateDetection: true, duplicateDetectionHistoryTimeWindow: 'PT20S' };
  const queue = await bus.queue(duplicates);
  const sender = bus.client.createSender(queue);
  const receiver = bus.client.createReceiver(queue);
  await sender.sendMessages([
    { body: 1, messageId: 'same' },
    { body: 2, messageId: 'same' },
  ]);
  await receiver.completeMessage(await only(receiver));
  await sender.sendMessages({ body: 3, messageId: 'same' });
  await sender.scheduleMessages({ body: 4, messageId: 'same' }, inTenSeconds());
  expect(await receiver.peekMessages(5)).toEqual([]);
  await bus.pass(21_000);
  await sender.sendMessages({ body: 5, messageId: 'same' });
  expect(bodies(await receiver.peekMessages(5))).toEqual([5]);
});

it('delivers a scheduled message at its time, under a new number, and not one that was cancelled', async () => {
  const queue = await bus.queue();
  const sender = bus.client.createSender(queue);
  const at = inTenSeconds();
  const [first, second] = await sender.scheduleMessages([{ body: 'cancelled' }, { body: 'kept' }], at);
  await sender.sendMessages({ body: 'sent so', scheduledEnqueueTimeUtc: at });
  await sender.cancelScheduledMessages(first!);
  const receiver = bus.client.createReceiver(queue);
  const waiting = await receiver.peekMessages(5);
  expect(waiting.map(({ body, state }) => [body, state])).toEqual([
    ['kept', 'scheduled'],
    ['sent so', 'scheduled'],
  ]);
  expect(waiting[0]?.scheduledEnqueueTimeUtc?.getTime()).toBe(at.getTime());
  expect(await receiver.receiveMessages(1, briefly)).toEqual([]);
  await bus.pass(10_500);
  const message = await only(receiver);
  expect(message).toMatchObject({ body: 'kept', enqueuedSequenceNumber: second!.toNumber() });
  expect(message.sequenceNumber?.toNumber()).toBeGreaterThan(second!.toNumber());
  await expect(sender.cancelScheduledMessages(second!)).rejects.toMatchObject({ code: 'MessageNotFound' });
  expect(await only(receiver)).toMatchObject({ body: 'sent so' });
});

it('is peeked without taking anything, from any number on, with or without bodies', async () => {
  const queue = await bus.queue();
  await bus.client.createSender(queue).sendMessages([1, 2, 3, 4].map((body) => ({ body, subject: `s${body}` })));
  const receiver = bus.client.createReceiver(queue);
  const [first, second] = await receiver.peekMessages(2);
  expect(bodies(await receiver.peekMessages(10))).toEqual([3, 4]);
  expect(await receiver.peekMessages(10)).toEqual([]);
  const fromSequenceNumber = second!.sequenceNumber!;
  expect(bodies(await receiver.peekMessages(2, { fromSequenceNumber }))).toEqual([2, 3]);
  // Known to the client, not to its types.
  const withoutBody = { fromSequenceNumber: first!.sequenceNumber!, omitMessageBody: true };
  const [bare] = await receiver.peekMessages(1, withoutBody);
  expect(bare).toMatchObject({ subject: 's1', messageId: first?.messageId });
  expect(bare?.body).toBeUndefined();
});

it('gives a message an id that has none, so that its lock can be renewed', async () => {
  const queue = await bus.queue();
  await bus.client.createSender(queue).sendMessages({ body: 1 });
  const receiver = bus.client.createReceiver(queue);
  const message = await only(receiver);
  expect(message.messageId).toMatch(/./);
  await receiver.renewMessageLock(message);
  await receiver.completeMessage(message);
});

it('answers a receive that finds nothing when its wait is over, and one that finds something soon', async () => {
  const queue = await bus.queue();
  const receiver = bus.client.createReceiver(queue);
  await receiver.receiveMessages(1, briefly);
  const started = Date.now();
  expect(await receiver.receiveMessages(1, briefly)).toEqual([]);
  // The drain is answered at once: without an answer the client waits another 200 ms and closes the link.
  expect(Date.now() - started).toBeLessThan(briefly.maxWaitTimeInMs + 190);
  await bus.client.createSender(queue).sendMessages({ body: 1 });
  expect(bodies(await receiver.receiveMessages(1, soon))).toEqual([1]);
});

it('goes on past a message that is held for long, beyond any window of deliveries', async () => {
  const queue = await bus.queue();
  const sender = bus.client.createSender(queue);
  const batch = (from: number, count: number) => Array.from({ length: count }, (_, i) => ({ body: from + i }));
  for (let from = 0; from < 2500; from += 500) await sender.sendMessages(batch(from, 500));
  const receiver = bus.client.createReceiver(queue);
  const held = await only(receiver);
  const other = bus.client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
  const seen: unknown[] = [];
  const settled: Promise<void>[] = [];
  while (seen.length < 1200) {
    const messages = await receiver.receiveMessages(100, soon);
    seen.push(...bodies(messages));
    settled.push(...messages.map((message) => receiver.completeMessage(message)));
  }
  while (seen.length < 2499) seen.push(...bodies(await other.receiveMessages(2499 - seen.length, soon)));
  await Promise.all(settled);
  await receiver.completeMessage(held);
  expect(seen.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 2499 }, (_, i) => i + 1));
});

it('shares messages among competing receivers, each once', async () => {
  const queue = await bus.queue();
  const seen: unknown[][] = [[], []];
  const count = () => seen.flat().length;
  for (const list of seen) {
    bus
      .another()
      .createReceiver(queue)
      .subscribe(
        { processMessage: async ({ body }) => void list.push(body), processError: async () => {} },
        { maxConcurrentCalls: 8 },
      );
  }
  await bus.client.createSender(queue).sendMessages(Array.from({ length: 200 }, (_, body) => ({ body })));
  await expect.poll(count, { timeout: 10_000, interval: 20 }).toBe(200);
  expect(new Set(seen.flat()).size).toBe(200);
  for (const list of seen) expect(list.length).toBeGreaterThan(0);
});

it('says that an entity does not exist, or may not be used so', async () => {
  const nowhere = bus.client.createSender('contract-nowhere').sendMessages({ body: 1 });
  await expect(nowhere).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
  const topic = await bus.topic();
  await expect(bus.client.createReceiver(topic).receiveMessages(1, briefly)).rejects.toThrow();
});

it('answers for each of the messages that one client sends at once, good and bad', async () => {
  const queue = await bus.queue({ requiresSession: true });
  const sender = bus.client.createSender(queue);
  const isGood = [true, false, false, true, true, false];
  await sender.sendMessages({ body: 'first', sessionId: 's' });
  const sent = isGood.map((good, body) => sender.sendMessages(good ? { body, sessionId: 's' } : { body }));
  const answers = await Promise.allSettled(sent);
  expect(answers.map(({ status }) => status === 'fulfilled')).toEqual(isGood);
});
