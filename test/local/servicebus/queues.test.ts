import { ServiceBusError, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';

const soon = { maxWaitTimeInMs: 3000 };
const now = { maxWaitTimeInMs: 150 };

async function only(messages: Promise<ServiceBusReceivedMessage[]>): Promise<ServiceBusReceivedMessage> {
  const found = await messages;
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('a queue', () => {
  it('carries a message with all it says from a sender to a receiver, once', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const client = bus.client();
    const sent = {
      body: { n: 1 },
      messageId: 'a',
      subject: 's',
      to: 'there',
      contentType: 'application/json',
      correlationId: 'c',
      applicationProperties: { fraction: 1.5, flag: true, when: new Date(5), text: 'ü' },
    };
    await client.createSender('orders').sendMessages(sent);
    const receiver = client.createReceiver('orders');
    const message = await only(receiver.receiveMessages(5, soon));
    // The client shows timestamps as numbers.
    const applicationProperties = { ...sent.applicationProperties, when: 5 };
    expect(message).toMatchObject({ ...sent, applicationProperties, deliveryCount: 0 });
    await receiver.completeMessage(message);
    expect(await receiver.receiveMessages(1, now)).toEqual([]);
  });

  it('serves the same client over plain AMQP on the same port', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const { ServiceBusClient } = await import('@azure/service-bus');
    const plain = new ServiceBusClient(`${bus.connectionString};UseDevelopmentEmulator=true`);
    await plain.createSender('orders').sendMessages({ body: 'x' });
    const message = await only(
      plain.createReceiver('orders', { receiveMode: 'receiveAndDelete' }).receiveMessages(1, soon),
    );
    expect(message.body).toBe('x');
    await plain.close();
  });

  it('accepts a batch whole or not at all', async () => {
    const bus = await start({ Queues: [{ Name: 'orders', Properties: { RequiresSession: true } }] });
    const client = bus.client();
    const sender = client.createSender('orders');
    const halfGood = [{ body: 1, sessionId: 'a' }, { body: 2 }];
    await expect(sender.sendMessages(halfGood)).rejects.toThrow(/session id/);
    await sender.sendMessages([{ body: 3, sessionId: 'a' }]);
    const receiver = await client.acceptSession('orders', 'a');
    expect((await receiver.peekMessages(10)).map((message) => message.body)).toEqual([3]);
  });

  it('keeps order, batches and sizes above one frame', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const client = bus.client();
    const sender = client.createSender('orders');
    const big = 'x'.repeat(200_000);
    await sender.sendMessages({ body: big });
    const batch = await sender.createMessageBatch();
    for (let i = 0; i < 100; i++) expect(batch.tryAddMessage({ body: i })).toBe(true);
    await sender.sendMessages(batch);
    const receiver = client.createReceiver('orders', { receiveMode: 'receiveAndDelete' });
    const bodies: unknown[] = [];
    while (bodies.length < 101)
      bodies.push(...(await receiver.receiveMessages(200, { maxWaitTimeInMs: 500 })).map((m) => m.body));
    expect(bodies).toEqual([big, ...Array.from({ length: 100 }, (_, i) => i)]);
  });

  it('refuses a message above the limit of the tier', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const sending = bus
      .client()
      .createSender('orders')
      .sendMessages({ body: 'x'.repeat(300_000) });
    await expect(sending).rejects.toMatchObject({ code: 'MessageSizeExceeded' });
  });

  it('gives an abandoned message again with one more attempt, and its new properties', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const client = bus.client();
    await client.createSender('orders').sendMessages({ body: 1, applicationProperties: { kept: 'k', changed: 1 } });
    const receiver = client.createReceiver('orders');
    await receiver.abandonMessage(await only(receiver.receiveMessages(1, soon)), { changed: 'yes' });
    const again = await only(receiver.receiveMessages(1, soon));
    expect(again.deliveryCount).toBe(1);
    expect(again.applicationProperties).toEqual({ kept: 'k', changed: 'yes' });
  });

  it('moves a message to the dead-letter queue after its last attempt', async () => {
    const bus = await start({ Queues: [{ Name: 'orders', Properties: { MaxDeliveryCount: 2 } }] });
    const client = bus.client();
    await client.createSender('orders').sendMessages({ body: 'poison', messageId: 'p' });
    const receiver = client.createReceiver('orders');
    for (let i = 0; i < 2; i++) await receiver.abandonMessage(await only(receiver.receiveMessages(1, soon)));
    expect(await receiver.receiveMessages(1, now)).toEqual([]);
    const dead = client.createReceiver('orders', { subQueueType: 'deadLetter' });
    const message = await only(dead.receiveMessages(1, soon));
    expect(message).toMatchObject({
      body: 'poison',
      messageId: 'p',
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterSource: 'orders',
    });
    await dead.completeMessage(message);
  });

  it('dead-letters on request with reason, description and properties', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const client = bus.client();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders');
    const message = await only(receiver.receiveMessages(1, soon));
    await receiver.deadLetterMessage(message, { deadLetterReason: 'r', deadLetterErrorDescription: 'd', extra: 7 });
    const dead = await only(client.createReceiver('orders', { subQueueType: 'deadLetter' }).receiveMessages(1, soon));
    expect(dead).toMatchObject({ deadLetterReason: 'r', deadLetterErrorDescription: 'd' });
    expect(dead.applicationProperties).toMatchObject({ extra: 7 });
  });

  it('sets a deferred message aside until it is asked for by number', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const client = bus.client();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders');
    const message = await only(receiver.receiveMessages(1, soon));
    await receiver.deferMessage(message);
    expect(await receiver.receiveMessages(1, now)).toEqual([]);
    const deferred = await only(receiver.receiveDeferredMessages(message.sequenceNumber!));
    expect(deferred.body).toBe(1);
    await receiver.completeMessage(deferred);
    await expect(receiver.receiveDeferredMessages(message.sequenceNumber!)).rejects.toMatchObject({
      code: 'MessageNotFound',
    });
  });

  it('gives a message to the next receiver when its lock expires, and refuses the late settlement', async () => {
    const bus = await start({ Queues: [{ Name: 'orders', Properties: { LockDuration: 'PT1S' } }] });
    const client = bus.client();
    await client.createSender('orders').sendMessages({ body: 1 });
    const slow = client.createReceiver('orders', { maxAutoLockRenewalDurationInMs: 0 });
    const held = await only(slow.receiveMessages(1, soon));
    const next = client.createReceiver('orders');
    const message = await only(next.receiveMessages(1, soon));
    expect(message.deliveryCount).toBe(1);
    const late = slow.completeMessage(held);
    await expect(late).rejects.toBeInstanceOf(ServiceBusError);
    await expect(late).rejects.toMatchObject({ code: 'MessageLockLost' });
    await next.completeMessage(message);
  });

  it('keeps a message locked as long as its lock is renewed', async () => {
    const bus = await start({ Queues: [{ Name: 'orders', Properties: { LockDuration: 'PT3S' } }] });
    const client = bus.client();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders', { maxAutoLockRenewalDurationInMs: 0 });
    const message = await only(receiver.receiveMessages(1, soon));
    const before = message.lockedUntilUtc!;
    await new Promise((resolve) => setTimeout(resolve, 1600));
    expect((await receiver.renewMessageLock(message)).getTime()).toBeGreaterThan(before.getTime() + 500);
    await new Promise((resolve) => setTimeout(resolve, 1600));
    await receiver.completeMessage(message);
  });

  it('drops an expired message, or dead-letters it where the queue says so', async () => {
    const properties = { DeadLetteringOnMessageExpiration: true };
    const bus = await start({ Queues: [{ Name: 'dropping' }, { Name: 'keeping', Properties: properties }] });
    const client = bus.client();
    for (const name of ['dropping', 'keeping'])
      await client.createSender(name).sendMessages({ body: 1, timeToLive: 50 });
    const dead = await only(client.createReceiver('keeping', { subQueueType: 'deadLetter' }).receiveMessages(1, soon));
    expect(dead.deadLetterReason).toBe('TTLExpiredException');
    for (const name of ['dropping', 'keeping']) expect(await client.createReceiver(name).peekMessages(1)).toEqual([]);
  });

  it('accepts a duplicate and drops it, even after the first was completed', async () => {
    const bus = await start({ Queues: [{ Name: 'orders', Properties: { RequiresDuplicateDetection: true } }] });
    const client = bus.client();
    const sender = client.createSender('orders');
    const receiver = client.createReceiver('orders');
    await sender.sendMessages([
      { body: 1, messageId: 'same' },
      { body: 2, messageId: 'same' },
    ]);
    await receiver.completeMessage(await only(receiver.receiveMessages(5, { maxWaitTimeInMs: 500 })));
    await sender.sendMessages({ body: 3, messageId: 'same' });
    expect(await receiver.peekMessages(5)).toEqual([]);
  });

  it('delivers a scheduled message at its time and not one that was cancelled', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const client = bus.client();
    const sender = client.createSender('orders');
    const at = new Date(Date.now() + 400);
    const [first, second] = await sender.scheduleMessages([{ body: 'cancelled' }, { body: 'kept' }], at);
    await sender.cancelScheduledMessages(first!);
    const receiver = client.createReceiver('orders');
    expect((await receiver.peekMessages(5)).map((message) => [message.body, message.state])).toEqual([
      ['kept', 'scheduled'],
    ]);
    const message = await only(receiver.receiveMessages(2, soon));
    expect(Date.now()).toBeGreaterThanOrEqual(at.getTime());
    expect(message.enqueuedSequenceNumber).toBe(second!.toNumber());
    await expect(sender.cancelScheduledMessages(second!)).rejects.toMatchObject({ code: 'MessageNotFound' });
  });

  it('says that an entity does not exist', async () => {
    const bus = await start({});
    const sending = bus.client().createSender('nowhere').sendMessages({ body: 1 });
    await expect(sending).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
  });
});
