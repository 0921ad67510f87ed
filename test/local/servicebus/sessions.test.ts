import { describe, expect, it } from 'vitest';
import { start } from './harness.ts';

const soon = { maxWaitTimeInMs: 3000 };
const events = (properties: Record<string, string | number | boolean> = {}) => ({
  Queues: [{ Name: 'appliance-events', Properties: { RequiresSession: true, ...properties } }],
});

describe('a queue with sessions', () => {
  it('gives a batch of fifty messages of 16 kB of one session in order', async () => {
    const bus = await start(events({ RequiresDuplicateDetection: true }));
    const client = bus.client();
    const sender = client.createSender('appliance-events');
    const data = 'x'.repeat(16_000);
    for (let i = 0; i < 50; i++) {
      const body = { i, data };
      await sender.sendMessages({ body, sessionId: i % 2 ? 'odd' : 'even', messageId: `m${i}` });
    }
    for (const id of ['even', 'odd']) {
      const receiver = await client.acceptNextSession('appliance-events');
      expect(receiver.sessionId).toBe(id);
      const seen: number[] = [];
      while (seen.length < 25) {
        const messages = await receiver.receiveMessages(50, soon);
        seen.push(...messages.map((message) => (message.body as { i: number }).i));
        await Promise.all(messages.map((message) => receiver.completeMessage(message)));
      }
      expect(seen).toEqual(Array.from({ length: 25 }, (_, k) => 2 * k + (id === 'odd' ? 1 : 0)));
      await receiver.close();
    }
  });

  it('makes whoever asks for the next session wait until there is one', async () => {
    const bus = await start(events());
    const client = bus.client();
    const waiting = client.acceptNextSession('appliance-events');
    const other = bus.client();
    await other.createSender('appliance-events').sendMessages({ body: 1, sessionId: 'late' });
    const receiver = await waiting;
    expect(receiver.sessionId).toBe('late');
    expect((await receiver.receiveMessages(1, soon))[0]?.body).toBe(1);
  });

  it('answers with a timeout when no session comes', async () => {
    const bus = await start(events());
    const client = bus.client({ retryOptions: { maxRetries: 0, timeoutInMs: 600 } });
    await expect(client.acceptNextSession('appliance-events')).rejects.toMatchObject({ code: 'ServiceTimeout' });
  });

  it('lends a session to one receiver at a time, and to the next at once when it is closed', async () => {
    const bus = await start(events());
    const client = bus.client();
    await client.createSender('appliance-events').sendMessages({ body: 1, sessionId: 's' });
    const first = await client.acceptSession('appliance-events', 's');
    await expect(bus.client().acceptSession('appliance-events', 's')).rejects.toMatchObject({
      code: 'SessionCannotBeLocked',
    });
    const [unsettled] = await first.receiveMessages(1, soon);
    expect(unsettled?.deliveryCount).toBe(0);
    await first.close();
    const second = await bus.client().acceptSession('appliance-events', 's');
    // Closed, not lost: that was no failed attempt.
    expect((await second.receiveMessages(1, soon))[0]).toMatchObject({ body: 1, deliveryCount: 0 });
  });

  it('takes a session from a receiver that lets its lock expire', async () => {
    const bus = await start(events({ LockDuration: 'PT1S' }));
    const client = bus.client();
    await client.createSender('appliance-events').sendMessages({ body: 1, sessionId: 's' });
    const first = await client.acceptSession('appliance-events', 's', { maxAutoLockRenewalDurationInMs: 0 });
    const [message] = await first.receiveMessages(1, soon);
    const second = await bus.client().acceptNextSession('appliance-events');
    expect((await second.receiveMessages(1, soon))[0]).toMatchObject({ body: 1, deliveryCount: 1 });
    await expect(first.completeMessage(message!)).rejects.toMatchObject({ code: 'SessionLockLost' });
  });

  it('keeps a session as long as its lock is renewed, and its state for the next', async () => {
    const bus = await start(events({ LockDuration: 'PT3S' }));
    const client = bus.client();
    const first = await client.acceptSession('appliance-events', 's', { maxAutoLockRenewalDurationInMs: 0 });
    expect(await first.getSessionState()).toBeNull();
    const until = first.sessionLockedUntilUtc!;
    expect(Math.abs(until.getTime() - Date.now() - 3000)).toBeLessThan(1000);
    await new Promise((resolve) => setTimeout(resolve, 1600));
    expect((await first.renewSessionLock()).getTime()).toBeGreaterThan(until.getTime() + 300);
    await new Promise((resolve) => setTimeout(resolve, 1600));
    await first.setSessionState({ step: 3 });
    await first.close();
    const second = await client.acceptSession('appliance-events', 's');
    expect(await second.getSessionState()).toEqual({ step: 3 });
  });

  it('does not give a session to a client that left while it waited', async () => {
    const bus = await start(events());
    const leaving = bus.client();
    const abandoned = leaving.acceptNextSession('appliance-events').catch(() => undefined);
    const client = bus.client();
    const sender = client.createSender('appliance-events');
    await expect(client.acceptSession('appliance-events', 'other').then((r) => r.close())).resolves.toBeUndefined();
    await leaving.close();
    await sender.sendMessages({ body: 1, sessionId: 's' });
    expect((await client.acceptNextSession('appliance-events')).sessionId).toBe('s');
    void abandoned;
  });

  it('feeds eight workers that take whatever session is next', async () => {
    const bus = await start(events());
    const client = bus.client();
    const sender = client.createSender('appliance-events');
    const sent = Array.from({ length: 400 }, (_, i) => ({ body: i, sessionId: `s${i % 40}` }));
    await sender.sendMessages(sent);
    const seen = new Map<string, number[]>();
    let count = 0;
    const work = async (): Promise<void> => {
      while (count < sent.length) {
        const session = await client.acceptNextSession('appliance-events').catch(() => undefined);
        if (!session) break;
        for (;;) {
          const messages = await session.receiveMessages(50, { maxWaitTimeInMs: 50 });
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
    await expect.poll(() => count, { timeout: 10_000 }).toBe(400);
    for (const list of seen.values()) expect(list).toEqual(list.toSorted((a, b) => a - b));
    expect(seen.size).toBe(40);
  });

  it('defers within a session and dead-letters into a queue without sessions', async () => {
    const bus = await start(events());
    const client = bus.client();
    await client.createSender('appliance-events').sendMessages([
      { body: 'later', sessionId: 's' },
      { body: 'never', sessionId: 's' },
    ]);
    const receiver = await client.acceptSession('appliance-events', 's');
    const [later, never] = await receiver.receiveMessages(2, soon);
    await receiver.deferMessage(later!);
    await receiver.deadLetterMessage(never!, { deadLetterReason: 'why', deadLetterErrorDescription: 'because' });
    const [deferred] = await receiver.receiveDeferredMessages(later!.sequenceNumber!);
    await receiver.completeMessage(deferred!);
    const [dead] = await client
      .createReceiver('appliance-events', { subQueueType: 'deadLetter' })
      .receiveMessages(1, soon);
    expect(dead).toMatchObject({ body: 'never', sessionId: 's', deadLetterReason: 'why' });
  });

  it('refuses a receiver without session, and a session of a queue that has none', async () => {
    const bus = await start({ Queues: [...events().Queues, { Name: 'plain' }] });
    const client = bus.client();
    const receiving = client.createReceiver('appliance-events').receiveMessages(1, soon);
    await expect(receiving).rejects.toThrow(/requires sessions/);
    await expect(client.acceptSession('plain', 's')).rejects.toThrow(/no sessions/);
  });
});
