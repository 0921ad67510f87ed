import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';

describe('the administration client', () => {
  it('creates, reads, updates, lists and deletes queues', async () => {
    const bus = await start({ Queues: [{ Name: 'declared' }] });
    const admin = bus.admin();
    const created = await admin.createQueue('made', {
      lockDuration: 'PT45S',
      requiresSession: true,
      maxDeliveryCount: 3,
    });
    expect(created).toMatchObject({ name: 'made', lockDuration: 'PT45S', requiresSession: true, maxDeliveryCount: 3 });
    expect(await admin.queueExists('made')).toBe(true);
    expect(await admin.queueExists('absent')).toBe(false);
    await expect(admin.createQueue('MADE')).rejects.toMatchObject({ code: 'MessageEntityAlreadyExistsError' });
    await admin.updateQueue({ ...(await admin.getQueue('made')), maxDeliveryCount: 5 });
    expect((await admin.getQueue('made')).maxDeliveryCount).toBe(5);
    await expect(admin.updateQueue({ ...created, requiresSession: false })).rejects.toThrow(/cannot be changed/);
    const names = [];
    for await (const queue of admin.listQueues()) names.push(queue.name);
    expect(names).toEqual(['declared', 'made']);
    await admin.deleteQueue('made');
    await expect(admin.getQueue('made')).rejects.toMatchObject({ code: 'MessageEntityNotFoundError' });
    await expect(admin.deleteQueue('made')).rejects.toMatchObject({ code: 'MessageEntityNotFoundError' });
  });

  it('counts messages', async () => {
    const bus = await start({ Queues: [{ Name: 'q' }] });
    const client = bus.client();
    const sender = client.createSender('q');
    await sender.sendMessages([{ body: 1 }, { body: 2 }]);
    await sender.scheduleMessages({ body: 3 }, new Date(Date.now() + 60_000));
    const receiver = client.createReceiver('q');
    const [message] = await receiver.receiveMessages(1);
    await receiver.deadLetterMessage(message!);
    const counts = { activeMessageCount: 1, scheduledMessageCount: 1, deadLetterMessageCount: 1, totalMessageCount: 3 };
    expect(await bus.admin().getQueueRuntimeProperties('q')).toMatchObject(counts);
  });

  it('handles topics, subscriptions and rules', async () => {
    const bus = await start({});
    const admin = bus.admin();
    await admin.createTopic('t');
    const filter = { to: 'x', applicationProperties: { s: 'a&b', n: 2 } };
    await admin.createSubscription('t', 's', { lockDuration: 'PT30S', defaultRuleOptions: { name: 'first', filter } });
    expect(await admin.getSubscription('t', 's')).toMatchObject({
      topicName: 't',
      subscriptionName: 's',
      lockDuration: 'PT30S',
    });
    expect(await admin.getRule('t', 's', 'first')).toMatchObject({ name: 'first', filter });
    await admin.createRule('t', 's', 'second', { sqlExpression: '1=1' });
    const rules = [];
    for await (const rule of admin.listRules('t', 's')) rules.push(rule.name);
    expect(rules).toEqual(['first', 'second']);
    await admin.deleteRule('t', 's', 'second');
    expect(await admin.ruleExists('t', 's', 'second')).toBe(false);
    expect((await admin.getTopicRuntimeProperties('t')).subscriptionCount).toBe(1);
    expect(await admin.getSubscriptionRuntimeProperties('t', 's')).toMatchObject({ totalMessageCount: 0 });
    const subscriptions = [];
    for await (const subscription of admin.listSubscriptions('t')) subscriptions.push(subscription.subscriptionName);
    expect(subscriptions).toEqual(['s']);
    await admin.deleteSubscription('t', 's');
    expect(await admin.subscriptionExists('t', 's')).toBe(false);
    await admin.deleteTopic('t');
    expect(await admin.topicExists('t')).toBe(false);
    expect(await admin.getNamespaceProperties()).toMatchObject({ name: 'local', messagingSku: 'Standard' });
  });

  it('pages through more entities than fit one answer', async () => {
    const bus = await start({ Queues: Array.from({ length: 130 }, (_, i) => ({ Name: `q${i}` })) });
    let count = 0;
    for await (const _ of bus.admin().listQueues()) count++;
    expect(count).toBe(130);
  });

  it('is told what is not built', async () => {
    const bus = await start({ Queues: [{ Name: 'q' }] });
    await expect(bus.admin().createQueue('p', { enablePartitioning: true })).rejects.toThrow(/EnablePartitioning/);
    await expect(bus.admin().createQueue('f', { forwardTo: 'q' })).rejects.toThrow(/ForwardTo/);
  });

  it('closes the receivers of an entity that is deleted', async () => {
    const bus = await start({ Queues: [{ Name: 'q' }] });
    const failed = new Promise((resolve) => {
      bus
        .client()
        .createReceiver('q')
        .subscribe({
          processMessage: async () => {},
          processError: async ({ error }) => resolve(error),
        });
    });
    await bus.client().createSender('q').sendMessages({ body: 1 });
    await bus.admin().deleteQueue('q');
    expect(await failed).toMatchObject({ code: 'MessagingEntityNotFound' });
  });
});
