import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';

const soon = { maxWaitTimeInMs: 3000 };
const topic = { Topics: [{ Name: 'commands' }] };

describe('a topic', () => {
  it('gives every subscription whose rules pass its own copy', async () => {
    const bus = await start(topic);
    const [admin, client] = [bus.admin(), bus.client()];
    await admin.createSubscription('commands', 'all');
    await admin.createSubscription('commands', 'mine', { defaultRuleOptions: { name: 'me', filter: { to: 'x' } } });
    await admin.createSubscription('commands', 'red', {
      defaultRuleOptions: {
        name: 'red',
        filter: { subject: 's', applicationProperties: { colour: 'red', size: 3, hot: true } },
      },
    });
    const sender = client.createSender('commands');
    const applicationProperties = { colour: 'red', size: 3, hot: true };
    await sender.sendMessages([
      { body: 1, to: 'x' },
      { body: 2, to: 'y' },
      { body: 3, subject: 's', applicationProperties },
    ]);
    const bodies = async (name: string) =>
      (await client.createReceiver('commands', name).peekMessages(10)).map((m) => m.body);
    expect(await bodies('all')).toEqual([1, 2, 3]);
    expect(await bodies('mine')).toEqual([1]);
    expect(await bodies('red')).toEqual([3]);
  });

  it('feeds a subscriber that was there before the message', async () => {
    const bus = await start(topic);
    await bus.admin().createSubscription('commands', 'a', { defaultRuleOptions: { name: 'me', filter: { to: 'a' } } });
    const got = new Promise<ServiceBusReceivedMessage>((resolve, reject) => {
      const processMessage = async (message: ServiceBusReceivedMessage) => resolve(message);
      bus
        .client()
        .createReceiver('commands', 'a')
        .subscribe({ processMessage, processError: async ({ error }) => reject(error) });
    });
    await bus.client().createSender('commands').sendMessages({ body: 'go', to: 'a' });
    expect((await got).body).toBe('go');
  });

  it('schedules for its subscriptions and dead-letters inside one', async () => {
    const bus = await start(topic);
    await bus.admin().createSubscription('commands', 'a');
    const client = bus.client();
    await client.createSender('commands').scheduleMessages({ body: 1 }, new Date(Date.now() + 200));
    const receiver = client.createReceiver('commands', 'a');
    const [message] = await receiver.receiveMessages(1, soon);
    await receiver.deadLetterMessage(message!);
    const dead = client.createReceiver('commands', 'a', { subQueueType: 'deadLetter' });
    expect((await dead.receiveMessages(1, soon))[0]).toMatchObject({
      body: 1,
      deadLetterSource: 'commands/Subscriptions/a',
    });
  });

  it('changes rules through the messaging client', async () => {
    const bus = await start(topic);
    await bus.admin().createSubscription('commands', 'a');
    const client = bus.client();
    const rules = client.createRuleManager('commands', 'a');
    await rules.deleteRule('$Default');
    await rules.createRule('mine', { to: 'a', applicationProperties: { n: 1 } });
    const found = [];
    for await (const rule of rules.listRules()) found.push(rule);
    expect(found).toMatchObject([{ name: 'mine', filter: { to: 'a', applicationProperties: { n: 1 } } }]);
    await expect(rules.createRule('sql', { sqlExpression: 'a > 3' })).rejects.toThrow(/not supported/);
    await client.createSender('commands').sendMessages([
      { body: 1, to: 'b' },
      { body: 2, to: 'a', applicationProperties: { n: 1 } },
    ]);
    expect((await client.createReceiver('commands', 'a').peekMessages(5)).map((m) => m.body)).toEqual([2]);
  });
});
