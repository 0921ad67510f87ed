// What only makes sense here: what is refused, and what the real service would take too long or too much for.
import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';

describe('the administration client', () => {
  it('pages through more entities than fit one answer', async () => {
    const bus = await start({ Queues: Array.from({ length: 130 }, (_, i) => ({ Name: `q${i}` })) });
    let count = 0;
    for await (const _ of bus.admin().listQueues()) count++;
    expect(count).toBe(130);
  });

  it('is told what is not built', async () => {
    const bus = await start({});
    await expect(bus.admin().createQueue('p', { enablePartitioning: true })).rejects.toThrow(/EnablePartitioning/);
    await expect(bus.admin().createQueue('i', { autoDeleteOnIdle: 'PT5M' })).rejects.toThrow(/AutoDeleteOnIdle/);
  });
});

describe('an entity', () => {
  it('that is full takes no more until something has left it', async () => {
    const bus = await start({ Queues: [{ Name: 'q', Properties: { MaxSizeInMegabytes: 1 } }] });
    const client = bus.client();
    const sender = client.createSender('q');
    const quarter = { body: 'x'.repeat(250_000) };
    for (let i = 0; i < 4; i++) await sender.sendMessages(quarter);
    await expect(sender.sendMessages(quarter)).rejects.toMatchObject({ code: 'QuotaExceeded' });
    const receiver = client.createReceiver('q', { receiveMode: 'receiveAndDelete' });
    await receiver.receiveMessages(1);
    await sender.sendMessages(quarter);
  });

  it('may take larger messages, and tells the client so', async () => {
    const bus = await start({ Queues: [{ Name: 'q', Properties: { MaxMessageSizeInKilobytes: 2048 } }] });
    const client = bus.client();
    const sender = client.createSender('q');
    expect((await sender.createMessageBatch()).maxSizeInBytes).toBe(2_097_152);
    await sender.sendMessages({ body: 'x'.repeat(1_500_000) });
    await expect(sender.sendMessages({ body: 'x'.repeat(2_200_000) })).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    });
    const [message] = await client.createReceiver('q').receiveMessages(1);
    expect(String(message?.body)).toHaveLength(1_500_000);
  });
});
