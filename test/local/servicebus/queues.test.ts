import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';

describe('a queue', () => {
  it('carries a message from a sender to a receiver over TLS, once', async () => {
    const bus = await start({ Queues: [{ Name: 'orders' }] });
    const client = bus.client();
    await client
      .createSender('orders')
      .sendMessages({ body: { n: 1 }, messageId: 'a', subject: 's', applicationProperties: { x: 1.5 } });
    const receiver = client.createReceiver('orders');
    const [message] = await receiver.receiveMessages(5, { maxWaitTimeInMs: 2000 });
    expect(message).toMatchObject({
      body: { n: 1 },
      messageId: 'a',
      subject: 's',
      applicationProperties: { x: 1.5 },
      deliveryCount: 0,
    });
    await receiver.completeMessage(message!);
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 300 })).toEqual([]);
  });
});
