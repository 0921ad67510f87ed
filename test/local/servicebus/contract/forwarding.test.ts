import { expect, it } from 'vitest';
import { bodies, briefly, only, useContract } from './contract.ts';

const bus = useContract();

it('hands on what arrives, and remembers its first number', async () => {
  const end = await bus.queue();
  const start = await bus.queue({ forwardTo: end });
  await bus.client.createSender(start).sendMessages([{ body: 1, subject: 's' }, { body: 2 }]);
  const receiver = bus.client.createReceiver(end);
  const first = await only(receiver);
  expect(first).toMatchObject({ body: 1, subject: 's', enqueuedSequenceNumber: 1 });
  expect(await only(receiver)).toMatchObject({ body: 2, enqueuedSequenceNumber: 2 });
  expect(await bus.admin.getQueueRuntimeProperties(start)).toMatchObject({ totalMessageCount: 0 });
  expect((await bus.admin.getQueue(start)).forwardTo?.endsWith(`/${end}`)).toBe(true);
  await expect(bus.client.createReceiver(start).receiveMessages(1, briefly)).rejects.toThrow();
});

it('hands on scheduled messages at their time', async () => {
  const end = await bus.queue();
  const start = await bus.queue({ forwardTo: end });
  await bus.client.createSender(start).scheduleMessages({ body: 1 }, bus.inTime(10_000));
  const receiver = bus.client.createReceiver(end);
  expect(await receiver.peekMessages(1)).toEqual([]);
  await bus.pass(10_500);
  expect(await only(receiver)).toMatchObject({ body: 1 });
});

it('chains topics, rules and queues', async () => {
  const end = await bus.queue();
  const inner = await bus.topic();
  await bus.subscription(inner, { forwardTo: end, defaultRuleOptions: { name: 'red', filter: { subject: 'red' } } });
  const outer = await bus.topic();
  await bus.subscription(outer, { forwardTo: inner });
  await bus.client.createSender(outer).sendMessages([
    { body: 1, subject: 'blue' },
    { body: 2, subject: 'red' },
  ]);
  expect(await only(bus.client.createReceiver(end))).toMatchObject({ body: 2 });
});

it('hands on dead letters with their reason', async () => {
  const graves = await bus.queue();
  const queue = await bus.queue({ forwardDeadLetteredMessagesTo: graves });
  await bus.client.createSender(queue).sendMessages({ body: 1, applicationProperties: { a: 1 } });
  const receiver = bus.client.createReceiver(queue);
  await receiver.deadLetterMessage(await only(receiver), {
    deadLetterReason: 'why',
    deadLetterErrorDescription: 'because',
  });
  const dead = await only(bus.client.createReceiver(graves));
  expect(dead).toMatchObject({ body: 1, deadLetterReason: 'why', deadLetterSource: queue });
  expect(dead.applicationProperties).toMatchObject({ a: 1 });
});

it('hands on what waits when forwarding begins, and stops when it ends', async () => {
  const end = await bus.queue();
  const queue = await bus.queue();
  const sender = bus.client.createSender(queue);
  await sender.sendMessages([{ body: 1 }, { body: 2 }]);
  const held = bus.client.createReceiver(queue);
  const message = await only(held);
  await bus.admin.updateQueue({ ...(await bus.admin.getQueue(queue)), forwardTo: end });
  const receiver = bus.client.createReceiver(end);
  expect(await only(receiver)).toMatchObject({ body: 2 });
  await held.abandonMessage(message).catch(() => {});
  const { forwardTo: _, ...rest } = await bus.admin.getQueue(queue);
  await bus.admin.updateQueue(rest as never);
  await sender.sendMessages({ body: 3 });
  expect(bodies(await bus.client.createReceiver(queue).peekMessages(5))).toContain(3);
});

it('keeps what cannot be delivered in the transfer dead-letter queue of the source', async () => {
  const end = await bus.queue();
  const start = await bus.queue({ forwardTo: end });
  const sender = bus.client.createSender(start);
  await bus.admin.updateQueue({ ...(await bus.admin.getQueue(end)), status: 'Disabled' });
  await sender.sendMessages({ body: 'disabled' });
  await bus.admin.deleteQueue(end);
  await sender.sendMessages({ body: 'deleted' });
  const lost = bus.client.createReceiver(start, { subQueueType: 'transferDeadLetter' });
  const [first, second] = [await only(lost), await only(lost)];
  expect([first, second]).toMatchObject([{ body: 'disabled' }, { body: 'deleted' }]);
  expect(second.deadLetterReason).toMatch(/./);
  const counts = await bus.admin.getQueueRuntimeProperties(start);
  expect(counts).toMatchObject({ transferDeadLetterMessageCount: 2, totalMessageCount: 2 });
  await lost.completeMessage(first);
});

it('ends a chain after four transfers', async () => {
  const names = [await bus.queue()];
  while (names.length < 6) names.unshift(await bus.queue({ forwardTo: names[0]! }));
  await bus.client.createSender(names[1]!).sendMessages({ body: 'four' });
  await bus.client.createSender(names[0]!).sendMessages({ body: 'five' });
  expect(await only(bus.client.createReceiver(names[5]!))).toMatchObject({ body: 'four' });
  const lost = await only(bus.client.createReceiver(names[4]!, { subQueueType: 'transferDeadLetter' }));
  expect(lost).toMatchObject({ body: 'five', deadLetterReason: 'MaxTransferHopCountExceeded' });
});

it('is refused where it makes no sense', async () => {
  const queue = await bus.queue();
  await expect(bus.queue({ forwardTo: 'contract-nowhere' })).rejects.toThrow();
  await expect(bus.queue({ forwardTo: queue, requiresSession: true })).rejects.toThrow();
});
