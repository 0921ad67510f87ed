import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { expect, it, onTestFinished } from 'vitest';
import { start, temporaryDirectory } from './harness.ts';

const soon = { maxWaitTimeInMs: 3000 };
const hasty = { retryOptions: { maxRetries: 0, timeoutInMs: 1500 } };
const plain = (endpoint: string, key: string) =>
  new ServiceBusClient(
    `Endpoint=${endpoint};SharedAccessKeyName=root;SharedAccessKey=${key};UseDevelopmentEmulator=true`,
    hasty,
  );

async function startChild(dataDir: string) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./child.ts', import.meta.url)), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [endpoint] = (await once(createInterface(child.stdout), 'line')) as [string];
  const client = plain(endpoint, 'k');
  onTestFinished(() => client.close());
  const kill = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { client, kill };
}

async function drain(client: ServiceBusClient): Promise<ServiceBusReceivedMessage[]> {
  const receiver = client.createReceiver('orders', { receiveMode: 'receiveAndDelete' });
  const found: ServiceBusReceivedMessage[] = [];
  for (;;) {
    const messages = await receiver.receiveMessages(1000, { maxWaitTimeInMs: 400 });
    if (messages.length === 0) return found;
    found.push(...messages);
  }
}

it('counts a delivery that kill -9 ended as an attempt, and forgets what was completed', async () => {
  const dataDir = temporaryDirectory();
  const first = await startChild(dataDir);
  await first.client
    .createSender('orders')
    .sendMessages([{ body: 'locked' }, { body: 'completed' }, { body: 'waiting' }]);
  const receiver = first.client.createReceiver('orders');
  const [, second] = await receiver.receiveMessages(2, soon);
  await receiver.completeMessage(second!);
  await first.kill();
  const again = await startChild(dataDir);
  const found = (await drain(again.client)).map((message) => [message.body, message.deliveryCount]);
  expect(found).toEqual([
    ['locked', 1],
    ['waiting', 0],
  ]);
});

it('keeps entities, rules, messages, session state and duplicate history over a restart', async () => {
  const dataDir = temporaryDirectory();
  const properties = { RequiresSession: true, RequiresDuplicateDetection: true };
  const namespace = { Queues: [{ Name: 'events', Properties: properties }], Topics: [{ Name: 'commands' }] };
  const before = await start(namespace, { dataDir });
  const client = before.client();
  await before.admin().createSubscription('commands', 'a', { defaultRuleOptions: { name: 'me', filter: { to: 'a' } } });
  await before.admin().updateQueue({ ...(await before.admin().getQueue('events')), maxDeliveryCount: 7 });
  await client.createSender('commands').sendMessages([
    { body: 1, to: 'a' },
    { body: 2, to: 'b' },
  ]);
  const sender = client.createSender('events');
  await sender.sendMessages([
    { body: 'x', sessionId: 's', messageId: 'm' },
    { body: 'deferred', sessionId: 's' },
  ]);
  await sender.scheduleMessages({ body: 'later', sessionId: 's' }, new Date(Date.now() + 60_000));
  const session = await client.acceptSession('events', 's');
  await session.setSessionState('state');
  const [, deferred] = await session.receiveMessages(2, soon);
  await session.deferMessage(deferred!, { note: new Date(7) });
  await before.stop();

  const after = await start(namespace, { dataDir });
  const again = after.client();
  expect((await after.admin().getQueue('events')).maxDeliveryCount).toBe(7);
  expect((await again.createReceiver('commands', 'a').peekMessages(5)).map((m) => m.body)).toEqual([1]);
  await again.createSender('commands').sendMessages([
    { body: 3, to: 'a' },
    { body: 4, to: 'b' },
  ]);
  // The client goes on peeking where it stopped.
  expect((await again.createReceiver('commands', 'a').peekMessages(5)).map((m) => m.body)).toEqual([3]);
  await again.createSender('events').sendMessages({ body: 'duplicate', sessionId: 's', messageId: 'm' });
  const resumed = await again.acceptNextSession('events');
  expect(await resumed.getSessionState()).toBe('state');
  const peeked = await resumed.peekMessages(10);
  expect(peeked.map((m) => [m.body, m.state])).toEqual([
    ['x', 'active'],
    ['deferred', 'deferred'],
    ['later', 'scheduled'],
  ]);
  const [back] = await resumed.receiveDeferredMessages(deferred!.sequenceNumber!);
  expect(back).toMatchObject({ body: 'deferred', applicationProperties: { note: 7 } });
});

it('serves a subscriber again by itself after a restart on the same port', async () => {
  const dataDir = temporaryDirectory();
  const namespace = { Queues: [{ Name: 'orders' }] };
  const before = await start(namespace, { dataDir });
  const got: unknown[] = [];
  let arrived = () => {};
  const next = () => new Promise<void>((resolve) => (arrived = resolve));
  const options = { retryOptions: { retryDelayInMs: 100, maxRetries: 1, timeoutInMs: 2000 } };
  before
    .client(options)
    .createReceiver('orders')
    .subscribe({
      processMessage: async (message) => {
        got.push(message.body);
        arrived();
      },
      processError: async () => {},
    });
  const first = next();
  await before.client().createSender('orders').sendMessages({ body: 1 });
  await first;
  const left = async () => (await before.admin().getQueueRuntimeProperties('orders')).totalMessageCount;
  await expect.poll(left, { interval: 20 }).toBe(0);
  const started = Date.now();
  await before.stop();
  expect(Date.now() - started).toBeLessThan(500);
  const port = Number(before.host.split(':')[1]);
  const after = await start(namespace, { dataDir, port });
  const second = next();
  await after.client().createSender('orders').sendMessages({ body: 2 });
  await second;
  expect(got).toEqual([1, 2]);
});

it('releases the session of a client whose process is gone', async () => {
  const bus = await start({ Queues: [{ Name: 'events', Properties: { RequiresSession: true } }] });
  const script = `
    const { ServiceBusClient } = await import('@azure/service-bus');
    const client = new ServiceBusClient(${JSON.stringify(`${bus.connectionString};UseDevelopmentEmulator=true`)});
    await client.acceptSession('events', 's');
    console.log('accepted');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(createInterface(child.stdout), 'line');
  const client = bus.client();
  await expect(client.acceptSession('events', 's')).rejects.toMatchObject({ code: 'SessionCannotBeLocked' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect
    .poll(
      () =>
        client.acceptSession('events', 's').then(
          (r) => r.sessionId,
          () => undefined,
        ),
      { timeout: 2000 },
    )
    .toBe('s');
});

it('lets clients close after it has stopped', async () => {
  const bus = await start({ Queues: [{ Name: 'q' }] });
  const client = bus.client();
  await client.createSender('q').sendMessages({ body: 1 });
  await client.createReceiver('q').receiveMessages(1, soon);
  await bus.stop();
  await client.close();
});
