import { expect, it } from 'vitest';
import { bodies, briefly, only, soon, useContract } from './contract.ts';

const bus = useContract();
const events = () => bus.queue({ requiresSession: true, lockDuration: 'PT5S' });
const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };

it('gives a session in order, of many that are mixed', async () => {
  const queue = await bus.queue({ requiresSession: true });
  const sender = bus.client.createSender(queue);
  const data = 'x'.repeat(4000);
  const all = Array.from({ length: 100 }, (_, i) => ({ body: { i, data }, sessionId: i % 2 ? 'odd' : 'even' }));
  await sender.sendMessages(all.slice(0, 50));
  await sender.sendMessages(all.slice(50));
  for (const id of ['even', 'odd']) {
    const receiver = await bus.client.acceptNextSession(queue);
    expect(receiver.sessionId).toBe(id);
    const seen: number[] = [];
    while (seen.length < 50) {
      const messages = await receiver.receiveMessages(50 - seen.length, soon);
      seen.push(...messages.map((message) => (message.body as { i: number }).i));
      await Promise.all(messages.map((message) => receiver.completeMessage(message)));
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, k) => 2 * k + (id === 'odd' ? 1 : 0)));
    await receiver.close();
  }
});

it('makes whoever asks for the next session wait until there is one', async () => {
  const queue = await events();
  const waiting = bus.client.acceptNextSession(queue);
  await bus.another().createSender(queue).sendMessages({ body: 1, sessionId: 'late' });
  const receiver = await waiting;
  expect(receiver.sessionId).toBe('late');
  expect(await only(receiver)).toMatchObject({ body: 1, sessionId: 'late' });
});

it('answers with a timeout when no session comes', async () => {
  const client = bus.another({ retryOptions: { maxRetries: 0, timeoutInMs: 600 } });
  await expect(client.acceptNextSession(await events())).rejects.toMatchObject({ code: 'ServiceTimeout' });
});

it('lends a session to one receiver at a time, and to the next at once when it is closed', async () => {
  const queue = await events();
  await bus.client.createSender(queue).sendMessages({ body: 1, sessionId: 's' });
  const first = await bus.client.acceptSession(queue, 's');
  const other = bus.another();
  await expect(other.acceptSession(queue, 's')).rejects.toMatchObject({ code: 'SessionCannotBeLocked' });
  expect(await only(first)).toMatchObject({ deliveryCount: 0 });
  await first.close();
  const second = await other.acceptSession(queue, 's');
  // Closed, not lost: that was no failed attempt.
  expect(await only(second)).toMatchObject({ body: 1, deliveryCount: 0 });
});

it('takes a session from a receiver that lets its lock expire', async () => {
  const queue = await events();
  await bus.client.createSender(queue).sendMessages({ body: 1, sessionId: 's' });
  const first = await bus.client.acceptSession(queue, 's', unrenewed);
  const message = await only(first);
  await bus.pass(5500);
  const second = await bus.another().acceptNextSession(queue);
  expect(await only(second)).toMatchObject({ body: 1, deliveryCount: 1 });
  await expect(first.completeMessage(message)).rejects.toMatchObject({ code: 'SessionLockLost' });
});

it('keeps a session as long as its lock is renewed, and its state for the next', async () => {
  const queue = await events();
  const first = await bus.client.acceptSession(queue, 's', unrenewed);
  expect(await first.getSessionState()).toBeNull();
  const until = first.sessionLockedUntilUtc!;
  for (let i = 0; i < 2; i++) {
    await bus.pass(3000);
    expect((await first.renewSessionLock()).getTime()).toBeGreaterThan(until.getTime() + 2000);
  }
  await first.setSessionState({ step: 3 });
  await first.close();
  const second = await bus.client.acceptSession(queue, 's');
  expect(await second.getSessionState()).toEqual({ step: 3 });
  await second.setSessionState(null);
  expect(await second.getSessionState()).toBeNull();
  await second.close();
});

it('does not give a session to a client that left while it waited', async () => {
  const queue = await events();
  const leaving = bus.another();
  const abandoned = leaving.acceptNextSession(queue).catch(() => undefined);
  // On the same connection, and so after it.
  await (await leaving.acceptSession(queue, 'other')).close();
  await leaving.close();
  await bus.client.createSender(queue).sendMessages({ body: 1, sessionId: 's' });
  expect((await bus.client.acceptNextSession(queue)).sessionId).toBe('s');
  void abandoned;
});

it('feeds eight workers that take whatever session is next', async () => {
  const queue = await bus.queue({ requiresSession: true });
  const client = bus.another();
  const sent = Array.from({ length: 200 }, (_, i) => ({ body: i, sessionId: `s${i % 20}` }));
  await bus.client.createSender(queue).sendMessages(sent);
  const seen = new Map<string, number[]>();
  let count = 0;
  const work = async (): Promise<void> => {
    while (count < sent.length) {
      const session = await client.acceptNextSession(queue).catch(() => undefined);
      if (!session) break;
      for (;;) {
        const messages = await session.receiveMessages(10, briefly);
        if (messages.length === 0) break;
        const list = seen.get(session.sessionId) ?? [];
        list.push(...messages.map((message) => Number(message.body)));
        seen.set(session.sessionId, list);
        count += messages.length;
        await Promise.all(messages.map((message) => session.completeMessage(message)));
      }
      await session.close();
    }
  };
  // Whoever still waits for a session is cut off when the client closes.
  void Promise.allSettled(Array.from({ length: 8 }, work));
  await expect.poll(() => count, { timeout: 20_000, interval: 20 }).toBe(200);
  for (const list of seen.values()) expect(list).toEqual(list.toSorted((a, b) => a - b));
  expect(seen.size).toBe(20);
});

it('defers, schedules and peeks within a session and dead-letters into a queue without sessions', async () => {
  const queue = await events();
  const sender = bus.client.createSender(queue);
  await sender.sendMessages([
    { body: 'later', sessionId: 's' },
    { body: 'never', sessionId: 's' },
    { body: 'elsewhere', sessionId: 't' },
  ]);
  await sender.scheduleMessages({ body: 'scheduled', sessionId: 's' }, bus.inTime(600_000));
  const receiver = await bus.client.acceptSession(queue, 's');
  expect(bodies(await receiver.peekMessages(10))).toEqual(['later', 'never', 'scheduled']);
  const later = await only(receiver);
  await receiver.deferMessage(later);
  await receiver.deadLetterMessage(await only(receiver), {
    deadLetterReason: 'why',
    deadLetterErrorDescription: 'because',
  });
  const [deferred] = await receiver.receiveDeferredMessages(later.sequenceNumber!);
  await receiver.completeMessage(deferred!);
  await receiver.close();
  const dead = await only(bus.client.createReceiver(queue, { subQueueType: 'deadLetter' }));
  expect(dead).toMatchObject({ body: 'never', sessionId: 's', deadLetterReason: 'why' });
});

it('gives back an abandoned message before those after it', async () => {
  const queue = await events();
  await bus.client.createSender(queue).sendMessages([1, 2].map((body) => ({ body, sessionId: 's' })));
  const receiver = await bus.client.acceptSession(queue, 's');
  await receiver.abandonMessage(await only(receiver));
  expect([await only(receiver), await only(receiver)]).toMatchObject([{ body: 1, deliveryCount: 1 }, { body: 2 }]);
  await receiver.close();
});

it('refuses a receiver without session, and a session of a queue that has none', async () => {
  const queue = await events();
  await expect(bus.client.createReceiver(queue).receiveMessages(1, briefly)).rejects.toThrow(/session/i);
  await expect(bus.client.acceptSession(await bus.queue(), 's')).rejects.toThrow(/session/i);
});

it('serves the sessions of a subscription, and dead-letters there what has none', async () => {
  const topic = await bus.topic();
  const subscription = await bus.subscription(topic, { requiresSession: true });
  const sender = bus.client.createSender(topic);
  await sender.sendMessages([{ body: 1 }, { body: 2, sessionId: 's' }]);
  const receiver = await bus.client.acceptNextSession(topic, subscription);
  expect(await only(receiver)).toMatchObject({ body: 2, sessionId: 's' });
  await receiver.close();
  const dead = await only(bus.client.createReceiver(topic, subscription, { subQueueType: 'deadLetter' }));
  expect(dead.deadLetterReason).toMatch(/session id is null/i);
});
