import type { ServiceBusReceivedMessage, SqlRuleFilter } from '@azure/service-bus';
import { describe, expect, it } from 'vitest';
import { bodies, only, soon, useContract } from './contract.ts';

const bus = useContract();
const all: SqlRuleFilter = { sqlExpression: '1=1' };

const peeked = async (topic: string, subscription: string): Promise<unknown[]> =>
  bodies(await bus.client.createReceiver(topic, subscription).peekMessages(20));

describe('a topic', () => {
  it('gives every subscription whose rules pass its own copy', async () => {
    const topic = await bus.topic();
    const plain = await bus.subscription(topic);
    const mine = await bus.subscription(topic, { defaultRuleOptions: { name: 'me', filter: { to: 'x' } } });
    const applicationProperties = { colour: 'red', size: 3, hot: true };
    const red = await bus.subscription(topic, {
      defaultRuleOptions: { name: 'red', filter: { subject: 's', applicationProperties } },
    });
    await bus.client.createSender(topic).sendMessages([
      { body: 1, to: 'x' },
      { body: 2, to: 'y' },
      { body: 3, subject: 's', applicationProperties },
    ]);
    expect(await peeked(topic, plain)).toEqual([1, 2, 3]);
    expect(await peeked(topic, mine)).toEqual([1]);
    expect(await peeked(topic, red)).toEqual([3]);
  });

  it('feeds a subscriber that was there before the message', async () => {
    const topic = await bus.topic();
    const receiver = bus.client.createReceiver(topic, await bus.subscription(topic));
    const got = new Promise<ServiceBusReceivedMessage>((resolve, reject) => {
      receiver.subscribe({
        processMessage: async (message) => resolve(message),
        processError: async ({ error }) => reject(error),
      });
    });
    await bus.client.createSender(topic).sendMessages({ body: 'go', to: 'a' });
    expect((await got).body).toBe('go');
    await receiver.close();
  });

  it('schedules for its subscriptions, cancels, and dead-letters inside one', async () => {
    const topic = await bus.topic();
    const subscription = await bus.subscription(topic);
    const sender = bus.client.createSender(topic);
    const [first] = await sender.scheduleMessages([{ body: 1 }, { body: 2 }], bus.inTime(10_000));
    await sender.cancelScheduledMessages(first!);
    await bus.pass(10_500);
    const receiver = bus.client.createReceiver(topic, subscription);
    await receiver.deadLetterMessage(await only(receiver));
    const dead = bus.client.createReceiver(topic, subscription, { subQueueType: 'deadLetter' });
    const message = await only(dead);
    expect(message).toMatchObject({ body: 2 });
    expect(message.deadLetterSource?.toLowerCase()).toBe(`${topic}/subscriptions/${subscription}`);
  });
});

describe('a SQL rule', () => {
  it('filters by application and system properties', async () => {
    const topic = await bus.topic();
    const filters: Record<string, SqlRuleFilter> = {
      big: { sqlExpression: "size > 2 AND colour IN ('red', 'blue')" },
      labelled: { sqlExpression: "sys.Label LIKE 'order%' OR EXISTS(urgent)" },
      absent: { sqlExpression: 'colour IS NULL' },
      named: { sqlExpression: 'colour = @colour', sqlParameters: { '@colour': 'red' } },
      unknown: { sqlExpression: "NOT colour = 'red'" },
    };
    for (const [name, filter] of Object.entries(filters)) {
      await bus.subscription(topic, { defaultRuleOptions: { name: 'rule', filter } }, name);
    }
    await bus.client.createSender(topic).sendMessages([
      { body: 1, applicationProperties: { size: 3, colour: 'red' } },
      { body: 2, applicationProperties: { size: 3, colour: 'green' } },
      { body: 3, subject: 'order-1' },
      { body: 4, applicationProperties: { Urgent: true, size: 2 } },
    ]);
    expect(await peeked(topic, 'big')).toEqual([1]);
    expect(await peeked(topic, 'labelled')).toEqual([3, 4]);
    expect(await peeked(topic, 'absent')).toEqual([3, 4]);
    expect(await peeked(topic, 'named')).toEqual([1]);
    expect(await peeked(topic, 'unknown')).toEqual([2]);
  });

  it('changes its copy by its action, and the copy names its rule', async () => {
    const topic = await bus.topic();
    const subscription = await bus.subscription(topic, { defaultRuleOptions: { name: 'plain', filter: all } });
    await bus.admin.createRule(topic, subscription, 'also', all);
    await bus.admin.createRule(
      topic,
      subscription,
      'priced',
      { sqlExpression: 'price > 10' },
      {
        sqlExpression: "SET price = price * 2; SET note = 'dear'; REMOVE colour; SET sys.Label = 'L' + note",
      },
    );
    await bus.client.createSender(topic).sendMessages([
      { body: 1, subject: 'kept', applicationProperties: { price: 20, colour: 'red' } },
      { body: 2, applicationProperties: { price: 5 } },
    ]);
    const receiver = bus.client.createReceiver(topic, subscription, { receiveMode: 'receiveAndDelete' });
    const found: ServiceBusReceivedMessage[] = [];
    while (found.length < 3) found.push(...(await receiver.receiveMessages(3 - found.length, soon)));
    const [changed] = found.filter(({ applicationProperties }) => applicationProperties?.['RuleName']);
    expect(changed).toMatchObject({ body: 1, subject: 'Ldear' });
    expect(changed?.applicationProperties).toEqual({ price: 40, note: 'dear', RuleName: 'priced' });
    const others = found.filter((message) => message !== changed);
    expect(others.map(({ body, subject }) => [body, subject])).toEqual([
      [1, 'kept'],
      [2, undefined],
    ]);
  });

  it('gives back what it was made of, by both clients', async () => {
    const topic = await bus.topic();
    const subscription = await bus.subscription(topic);
    const sql = { sqlExpression: "a < @n AND b <> '<&>'", sqlParameters: { '@n': 5, '@text': 'x' } };
    const action = { sqlExpression: "SET a = 'it''s'" };
    await bus.admin.createRule(topic, subscription, 'sql', sql, action);
    expect(await bus.admin.getRule(topic, subscription, 'sql')).toMatchObject({ name: 'sql', filter: sql, action });
    const correlation = { applicationProperties: { n: 2, flag: false, when: new Date(86_400_000) } };
    await bus.admin.createRule(topic, subscription, 'dated', correlation);
    expect(await bus.admin.getRule(topic, subscription, 'dated')).toMatchObject({ filter: correlation });
    await bus.admin.deleteRule(topic, subscription, 'dated');
    const rules = bus.client.createRuleManager(topic, subscription);
    await rules.deleteRule('$Default');
    await rules.createRule('mine', { to: 'a', applicationProperties: { n: 1 } });
    await rules.createRule('other', { sqlExpression: 'n = 1' }, action);
    const found = [];
    for await (const rule of rules.listRules()) found.push(rule);
    expect(found.sort((a, b) => (a.name < b.name ? -1 : 1))).toMatchObject([
      { name: 'mine', filter: { to: 'a', applicationProperties: { n: 1 } } },
      { name: 'other', filter: { sqlExpression: 'n = 1' }, action },
      { name: 'sql', filter: { sqlExpression: sql.sqlExpression }, action },
    ]);
    const changed = { ...(await bus.admin.getRule(topic, subscription, 'sql')), filter: { sqlExpression: 'a = 1' } };
    await bus.admin.updateRule(topic, subscription, changed);
    expect((await bus.admin.getRule(topic, subscription, 'sql')).filter).toMatchObject({ sqlExpression: 'a = 1' });
  });

  it('that cannot be parsed is refused by both clients', async () => {
    const topic = await bus.topic();
    const subscription = await bus.subscription(topic);
    const broken = { sqlExpression: 'a = ' };
    await expect(bus.admin.createRule(topic, subscription, 'broken', broken)).rejects.toMatchObject({
      statusCode: 400,
    });
    const made = bus.client.createRuleManager(topic, subscription).createRule('broken', broken);
    await expect(made).rejects.toThrow();
    const action = { sqlExpression: 'SET' };
    await expect(bus.admin.createRule(topic, subscription, 'broken', all, action)).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  it('that cannot be evaluated dead-letters the message where the subscription says so', async () => {
    const topic = await bus.topic();
    const filter = { sqlExpression: '10 / n = 1' };
    const defaultRuleOptions = { name: 'dividing', filter };
    const keeping = await bus.subscription(topic, {
      deadLetteringOnFilterEvaluationExceptions: true,
      defaultRuleOptions,
    });
    const dropping = await bus.subscription(topic, {
      deadLetteringOnFilterEvaluationExceptions: false,
      defaultRuleOptions,
    });
    await bus.client.createSender(topic).sendMessages({ body: 1, applicationProperties: { n: 0 } });
    const dead = await only(bus.client.createReceiver(topic, keeping, { subQueueType: 'deadLetter' }));
    expect(dead.deadLetterReason).toMatch(/filter/i);
    expect(await bus.admin.getSubscriptionRuntimeProperties(topic, dropping)).toMatchObject({ totalMessageCount: 0 });
  });
});
