// What is measured, with the unmodified client over plain AMQP. Each leaves the queues empty.
import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';
import { body } from './body.ts';
import { forSeconds, measure, type Row } from './measure.ts';

const soon = { maxWaitTimeInMs: 2000 };
const workers = 8;

export async function runOperations(
  port: number,
  pid: number,
  seconds: number,
  keep: (row: Row) => void,
): Promise<void> {
  const connectionString = `Endpoint=sb://localhost:${port};SharedAccessKeyName=root;SharedAccessKey=k`;
  const connect = () =>
    new ServiceBusClient(`${connectionString};UseDevelopmentEmulator=true`, {
      retryOptions: { maxRetries: 0, timeoutInMs: 5000 },
    });
  const client = connect();
  const sender = client.createSender('plain');
  const deleting = client.createReceiver('plain', { receiveMode: 'receiveAndDelete' });
  const hundred = Array.from({ length: 100 }, () => ({ body }));
  const run = async (what: string, work: () => Promise<{ count: number; note?: string }>) => {
    keep(await measure(what, pid, work));
  };
  const fill = async (count: number) => {
    for (let sent = 0; sent < count; sent += 100) await sender.sendMessages(hundred);
  };
  const drain = async () => {
    while ((await deleting.receiveMessages(1000, { maxWaitTimeInMs: 300 })).length > 0);
  };
  await sender.sendMessages({ body });
  await drain();

  const oneByOne = () => forSeconds(seconds, 1, () => sender.sendMessages({ body }).then(() => 1));
  // Twice as much is spent on both sides until what they do has been compiled.
  for (let warming = 0; warming < 3; warming++) await oneByOne();
  await run('send, one by one', async () => ({ count: await oneByOne() }));
  await run('send, 64 in flight', async () => ({
    count: await forSeconds(seconds, 64, () => sender.sendMessages({ body }).then(() => 1)),
  }));
  await drain();
  await run('send, batches of 100, 4 in flight', async () => ({
    count: await forSeconds(seconds, 4, () => sender.sendMessages(hundred).then(() => 100)),
  }));
  await drain();

  const some = Math.ceil(3000 * seconds);
  await fill(some);
  await run('receive and delete, 1000 a call', async () => {
    let count = 0;
    while (count < some) count += (await deleting.receiveMessages(Math.min(1000, some - count), soon)).length;
    return { count };
  });

  await fill(some);
  const locking = client.createReceiver('plain');
  await run('receive 200, complete all at once', async () => {
    let count = 0;
    while (count < some) {
      const messages = await locking.receiveMessages(Math.min(200, some - count), soon);
      await Promise.all(messages.map((message) => locking.completeMessage(message)));
      count += messages.length;
    }
    return { count };
  });
  await locking.close();

  for (const [maxConcurrentCalls, count] of [
    [1, Math.ceil(some / 4)],
    [32, some],
  ] as const) {
    await fill(Math.ceil(count / 100) * 100);
    await run(`subscribe, ${maxConcurrentCalls} at once`, () =>
      subscribe(client, maxConcurrentCalls, count, seconds * 2),
    );
    await drain();
  }

  const inSessions = async (sessions: number, perSession: number) => {
    const events = client.createSender('sessions');
    for (let i = 0; i < sessions; i++) {
      const messages = Array.from({ length: perSession }, () => ({ body, sessionId: `s${i}` }));
      await events.sendMessages(messages);
    }
    return sessions * perSession;
  };
  const many = Math.ceil(16 * seconds);
  const all = await inSessions(many, 50);
  await run(`sessions of 50, ${workers} workers`, () => workSessions(connect(), all, 50, completeAll));
  const fewer = await inSessions(many, 10);
  await run(`sessions of 10, ${workers} workers, one by one`, () =>
    workSessions(connect(), fewer, 10, completeOneByOne),
  );
  const short = await inSessions(many * 4, 1);
  await run(`sessions of 1, ${workers} workers`, () => workSessions(connect(), short, 1, completeAll));
  await run('accept a session and close it', async () => ({
    count: await forSeconds(seconds, 1, async () => {
      await (await client.acceptSession('sessions', 'empty')).close();
      return 1;
    }),
  }));
  await run('send to handler, one at a time', () => ping(client, seconds));
  await client.close();
}

/** Until `wanted` have come or the time is over. */
async function subscribe(client: ServiceBusClient, maxConcurrentCalls: number, wanted: number, seconds: number) {
  const receiver = client.createReceiver('plain');
  let count = 0;
  await new Promise<void>((resolve, reject) => {
    setTimeout(resolve, seconds * 1000);
    receiver.subscribe(
      {
        processMessage: async () => {
          if (++count === wanted) resolve();
        },
        processError: async ({ error }) => reject(error),
      },
      { maxConcurrentCalls },
    );
  });
  await receiver.close();
  return { count };
}

type Finish = (receiver: ServiceBusReceiver, messages: ServiceBusReceivedMessage[]) => Promise<void>;

const completeAll: Finish = async (receiver, messages) => {
  await Promise.all(messages.map((message) => receiver.completeMessage(message)));
};
const completeOneByOne: Finish = async (receiver, messages) => {
  for (const message of messages) await receiver.completeMessage(message);
};

/** Each session has `size` messages: asked for more, the client would wait a second for them. */
async function workSessions(client: ServiceBusClient, wanted: number, size: number, finish: Finish) {
  let left = wanted;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      const session = await client.acceptNextSession('sessions').catch(() => undefined);
      if (!session) return;
      const messages = await session.receiveMessages(size, soon);
      await finish(session, messages);
      left -= messages.length;
      await session.close();
      if (left <= 0) return;
    }
  };
  // Whoever waits for a session that does not come any more is not waited for: the last to settle ends the measurement.
  await new Promise<void>((resolve, reject) => {
    for (let i = 0; i < workers; i++) worker().then(() => left <= 0 && resolve(), reject);
  });
  // Or those who wait would take the sessions of what is measured next.
  await client.close();
  return { count: wanted };
}

/** One message after the other from sender to handler. */
async function ping(client: ServiceBusClient, seconds: number) {
  const sender = client.createSender('plain');
  const receiver = client.createReceiver('plain', { receiveMode: 'receiveAndDelete' });
  const latencies: number[] = [];
  let arrived = () => {};
  receiver.subscribe({ processMessage: async () => arrived(), processError: async () => {} });
  const count = await forSeconds(seconds, 1, async () => {
    const before = performance.now();
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await sender.sendMessages({ body });
    await there;
    latencies.push(performance.now() - before);
    return 1;
  });
  await receiver.close();
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)]?.toFixed(1);
  return { count, note: `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms` };
}
