import { expect, it } from 'vitest';
import { bodies, briefly, only, useContract } from './contract.ts';

const bus = useContract();

async function namesOf(list: AsyncIterable<{ name: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of list) names.push(name);
  return names;
}

it('creates, reads, updates, lists and deletes queues', async () => {
  const { admin } = bus;
  const other = await bus.queue();
  const queue = await bus.queue({
    lockDuration: 'PT45S',
    requiresSession: true,
    maxDeliveryCount: 3,
    userMetadata: 'u',
  });
  const created = await admin.getQueue(queue);
  const wanted = { lockDuration: 'PT45S', requiresSession: true, maxDeliveryCount: 3, userMetadata: 'u' };
  expect(created).toMatchObject({ name: queue, status: 'Active', maxSizeInMegabytes: 1024, ...wanted });
  expect(await admin.queueExists(queue)).toBe(true);
  expect(await admin.queueExists('contract-absent')).toBe(false);
  await expect(admin.createQueue(queue.toUpperCase())).rejects.toMatchObject({
    code: 'MessageEntityAlreadyExistsError',
  });
  await admin.updateQueue({ ...created, maxDeliveryCount: 5 });
  expect((await admin.getQueue(queue)).maxDeliveryCount).toBe(5);
  await expect(admin.updateQueue({ ...created, requiresSession: false })).rejects.toMatchObject({ statusCode: 400 });
  await expect(admin.updateQueue({ ...created, name: 'contract-absent' })).rejects.toMatchObject({ statusCode: 404 });
  await expect(bus.queue({ lockDuration: 'PT10M' })).rejects.toMatchObject({ statusCode: 400 });
  await expect(bus.queue({ maxDeliveryCount: 0 })).rejects.toMatchObject({ statusCode: 400 });
  expect(await namesOf(admin.listQueues())).toEqual(expect.arrayContaining([queue, other]));
  await admin.deleteQueue(queue);
  await expect(admin.getQueue(queue)).rejects.toMatchObject({ code: 'MessageEntityNotFoundError' });
  await expect(admin.deleteQueue(queue)).rejects.toMatchObject({ code: 'MessageEntityNotFoundError' });
});

it('handles topics, subscriptions and rules', async () => {
  const { admin } = bus;
  const topic = await bus.topic();
  const filter = { to: 'x', applicationProperties: { s: 'a&b', n: 2 } };
  await bus.subscription(topic, { lockDuration: 'PT30S', defaultRuleOptions: { name: 'first', filter } }, 's');
  expect(await admin.getSubscription(topic, 's')).toMatchObject({ topicName: topic, subscriptionName: 's' });
  await admin.updateSubscription({ ...(await admin.getSubscription(topic, 's')), lockDuration: 'PT20S' });
  expect((await admin.getSubscription(topic, 's')).lockDuration).toBe('PT20S');
  await admin.updateTopic({ ...(await admin.getTopic(topic)), userMetadata: 'changed' });
  expect((await admin.getTopic(topic)).userMetadata).toBe('changed');
  expect(await admin.getRule(topic, 's', 'first')).toMatchObject({ name: 'first', filter });
  await admin.createRule(topic, 's', 'second', { sqlExpression: '1=1' });
  await expect(admin.createRule(topic, 's', 'second', { sqlExpression: '1=1' })).rejects.toMatchObject({
    code: 'MessageEntityAlreadyExistsError',
  });
  expect(await namesOf(admin.listRules(topic, 's'))).toEqual(['first', 'second']);
  await admin.deleteRule(topic, 's', 'second');
  expect(await admin.ruleExists(topic, 's', 'second')).toBe(false);
  expect((await admin.getTopicRuntimeProperties(topic)).subscriptionCount).toBe(1);
  const listed = [];
  for await (const { subscriptionName } of admin.listSubscriptions(topic)) listed.push(subscriptionName);
  expect(listed).toEqual(['s']);
  await admin.deleteSubscription(topic, 's');
  expect(await admin.subscriptionExists(topic, 's')).toBe(false);
  await admin.deleteTopic(topic);
  expect(await admin.topicExists(topic)).toBe(false);
  expect(await admin.getNamespaceProperties()).toMatchObject({ messagingSku: expect.stringMatching(/./) });
});

it('counts messages by what they wait for, and their bytes', async () => {
  const queue = await bus.queue();
  const sender = bus.client.createSender(queue);
  await sender.sendMessages([1, 2, 3, 4].map((body) => ({ body })));
  await sender.scheduleMessages({ body: 5 }, bus.inTime(600_000));
  const receiver = bus.client.createReceiver(queue);
  await receiver.deadLetterMessage(await only(receiver));
  await receiver.deferMessage(await only(receiver));
  await receiver.completeMessage(await only(receiver));
  const counts = await bus.admin.getQueueRuntimeProperties(queue);
  expect(counts).toMatchObject({ scheduledMessageCount: 1, deadLetterMessageCount: 1, totalMessageCount: 4 });
  expect(counts.sizeInBytes).toBeGreaterThan(0);
  expect(Math.abs(counts.accessedAt.getTime() - Date.now())).toBeLessThan(300_000);
  const topic = await bus.topic();
  const subscription = await bus.subscription(topic);
  await bus.client.createSender(topic).sendMessages([{ body: 1 }, { body: 2 }]);
  const inside = bus.client.createReceiver(topic, subscription);
  await inside.deadLetterMessage(await only(inside));
  const found = [];
  for await (const each of bus.admin.listSubscriptionsRuntimeProperties(topic)) found.push(each);
  expect(found).toMatchObject([{ activeMessageCount: 1, deadLetterMessageCount: 1, totalMessageCount: 2 }]);
});

it('ends the links of an entity that is deleted', async () => {
  const queue = await bus.queue();
  const receiver = bus.another().createReceiver(queue);
  const failed = new Promise((resolve) => {
    receiver.subscribe({ processMessage: async () => {}, processError: async ({ error }) => resolve(error) });
  });
  await bus.client.createSender(queue).sendMessages({ body: 1 });
  await bus.admin.deleteQueue(queue);
  expect(await failed).toMatchObject({ code: 'MessagingEntityNotFound' });
});

it('disables sending, receiving or both while clients are connected', async () => {
  const disabled = { code: 'MessagingEntityDisabled' };
  const queue = await bus.queue();
  const set = async (status: 'Active' | 'Disabled' | 'SendDisabled' | 'ReceiveDisabled') =>
    void (await bus.admin.updateQueue({ ...(await bus.admin.getQueue(queue)), status }));
  const sender = bus.client.createSender(queue);
  const receiver = bus.client.createReceiver(queue);
  await sender.sendMessages({ body: 1 });
  await receiver.completeMessage(await only(receiver));
  await set('SendDisabled');
  await expect(sender.sendMessages({ body: 2 })).rejects.toMatchObject(disabled);
  await set('ReceiveDisabled');
  await sender.sendMessages({ body: 3 });
  await expect(receiver.receiveMessages(1, briefly)).rejects.toMatchObject(disabled);
  await set('Disabled');
  await expect(sender.sendMessages({ body: 4 })).rejects.toMatchObject(disabled);
  await expect(receiver.receiveMessages(1, briefly)).rejects.toMatchObject(disabled);
  await set('Active');
  expect(bodies(await receiver.peekMessages(5))).toEqual([3]);
  expect(await only(receiver)).toMatchObject({ body: 3 });
});
