import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { expect, it } from 'vitest';
import { impatient, start, temporaryDirectory } from './harness.ts';

const queues = { Queues: [{ Name: 'q' }, { Name: 'events', Properties: { RequiresSession: true } }] };
const patient = { retryOptions: { maxRetries: 3, retryDelayInMs: 20, timeoutInMs: 500 } };
const soon = { maxWaitTimeInMs: 3000 };

it('a broken connection is made again by a sender and a subscriber; a session is accepted anew', async () => {
  const bus = await start(queues);
  const client = bus.client(patient);
  const got: unknown[] = [];
  client.createReceiver('q').subscribe({
    processMessage: async ({ body }: ServiceBusReceivedMessage) => void got.push(body),
    processError: async () => {},
  });
  const sender = client.createSender('q');
  await sender.sendMessages({ body: 1 });
  await expect.poll(() => got, { interval: 10 }).toEqual([1]);
  await client.acceptSession('events', 's');
  bus.faults.dropConnections();
  await sender.sendMessages({ body: 2 });
  await expect.poll(() => got, { timeout: 5000, interval: 10 }).toEqual([1, 2]);
  await (await client.acceptSession('events', 's')).renewSessionLock();
});

it('a busy server is asked again by a client with patience, and told of to one without', async () => {
  const bus = await start(queues);
  const sender = bus.client(patient).createSender('q');
  await sender.sendMessages({ body: 1 });
  bus.faults.beBusy(2);
  await sender.sendMessages({ body: 2 });
  const hasty = bus.client(impatient).createSender('q');
  bus.faults.beBusy(1);
  await expect(hasty.sendMessages({ body: 3 })).rejects.toMatchObject({ code: 'ServiceBusy' });
  expect((await bus.client().createReceiver('q').peekMessages(5)).map(({ body }) => body)).toEqual([1, 2]);
});

it('an expired lock is told when its message or its session is used', async () => {
  const bus = await start(queues);
  const client = bus.client();
  await client.createSender('q').sendMessages({ body: 1 });
  await client.createSender('events').sendMessages({ body: 1, sessionId: 's' });
  const receiver = client.createReceiver('q');
  const [message] = await receiver.receiveMessages(1, soon);
  const session = await client.acceptSession('events', 's');
  const [inside] = await session.receiveMessages(1, soon);
  for (const path of ['q', 'events']) bus.faults.expireLocks(path);
  await expect(receiver.completeMessage(message!)).rejects.toMatchObject({ code: 'MessageLockLost' });
  await expect(session.completeMessage(inside!)).rejects.toMatchObject({ code: 'SessionLockLost' });
  expect((await receiver.receiveMessages(1, soon))[0]).toMatchObject({ body: 1, deliveryCount: 1 });
});

it('nothing is acknowledged before its commit, however slow that is, nor when it fails', async () => {
  const dataDir = temporaryDirectory();
  const bus = await start(queues, { dataDir });
  const sender = bus.client().createSender('q');
  await sender.sendMessages({ body: 1 });
  bus.faults.slowCommits(100);
  const started = performance.now();
  await sender.sendMessages({ body: 2 });
  expect(performance.now() - started).toBeGreaterThanOrEqual(100);
  bus.faults.slowCommits(0);
  bus.faults.failCommit();
  for (const body of [3, 4]) {
    await expect(sender.sendMessages({ body })).rejects.toMatchObject({ code: 'ServiceBusy' });
  }
  await bus.stop();
  const again = await start(queues, { dataDir });
  expect((await again.client().createReceiver('q').peekMessages(9)).map(({ body }) => body)).toEqual([1, 2]);
});
