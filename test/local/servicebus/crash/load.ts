// Clients that send and settle as fast as they are answered, until the broker is killed under them.
import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';
import type { Ledger, Place, Settlement } from './ledger.ts';

export type Draw = () => number;

/** A small generator of numbers from 0 to 1 (mulberry32), so that a seed tells the whole load. */
export function drawFrom(seed: number): Draw {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const connect = (endpoint: string): ServiceBusClient =>
  new ServiceBusClient(`Endpoint=${endpoint};SharedAccessKeyName=root;SharedAccessKey=k;UseDevelopmentEmulator=true`, {
    retryOptions: { maxRetries: 0, timeoutInMs: 2000 },
  });

const pickSettlement = (draw: Draw): Settlement => {
  const chance = draw();
  return chance < 0.7 ? 'complete' : chance < 0.8 ? 'deadLetter' : chance < 0.9 ? 'defer' : 'abandon';
};

function split(messages: ServiceBusReceivedMessage[], draw: Draw) {
  const drawn = messages.map((message) => [message, pickSettlement(draw)] as const);
  const completed = drawn.filter(([, how]) => how === 'complete').map(([message]) => message);
  return [completed, drawn.filter(([, how]) => how !== 'complete')] as const;
}

/** Works until `isOver`. What is answered after that counts for nothing: nobody was there to hear it. */
export function putUnderLoad(
  client: ServiceBusClient,
  ledger: Ledger,
  draw: Draw,
  prefix: string,
  isOver: () => boolean,
) {
  let next = 0;
  const newIds = (count: number) => Array.from({ length: count }, () => `${prefix}-${next++}`);
  const heard = (tell: () => void) => () => {
    if (!isOver()) tell();
  };

  async function send(queue: string, session?: string): Promise<void> {
    const sender = client.createSender(queue);
    while (!isOver()) {
      const ids = newIds(session === undefined && draw() < 0.3 ? 8 : 1);
      const acknowledged = ledger.sending(ids, session);
      const messages = ids.map((id) => ({
        body: id,
        messageId: id,
        ...(session !== undefined && { sessionId: session }),
      }));
      await sender
        .sendMessages(messages.length === 1 && messages[0] ? messages[0] : messages)
        .then(heard(acknowledged));
    }
  }

  async function settle(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage, how: Settlement) {
    const acknowledged = ledger.settling(String(message.body), how);
    const settling = {
      complete: () => receiver.completeMessage(message),
      abandon: () => receiver.abandonMessage(message),
      defer: () => receiver.deferMessage(message),
      deadLetter: () => receiver.deadLetterMessage(message),
    };
    await settling[how]().then(heard(acknowledged));
  }

  async function receive(): Promise<void> {
    const receiver = client.createReceiver('orders');
    while (!isOver()) {
      const messages = await receiver.receiveMessages(10, { maxWaitTimeInMs: 500 });
      if (isOver()) return;
      for (const { body } of messages) ledger.delivered(String(body));
      const [completed, others] = split(messages, draw);
      await Promise.all(completed.map((message) => settle(receiver, message, 'complete')));
      // One after the other: rhea@3.0.5 inside the client gives neighbours that are settled in one turn the same outcome.
      for (const [message, how] of others) await settle(receiver, message, how);
    }
  }

  async function holdSessions(): Promise<void> {
    while (!isOver()) {
      const session = await client.acceptNextSession('events');
      const before: string[] = [];
      for (let turns = 1 + Math.floor(draw() * 3); turns > 0 && !isOver(); turns--) {
        const messages = await session.receiveMessages(5, { maxWaitTimeInMs: 100 });
        if (isOver()) return;
        for (const { body } of messages) {
          ledger.delivered(String(body), before);
          before.push(String(body));
        }
        for (const message of messages) await settle(session, message, 'complete');
      }
      await session.close();
    }
  }

  const workers = [
    ...Array.from({ length: 4 }, () => send('orders')),
    ...['a', 'b', 'c'].map((session) => send('events', session)),
    receive(),
    receive(),
    holdSessions(),
    holdSessions(),
  ];
  // Each ends with an error when its connection breaks, or hangs as the client does: nobody waits for that.
  for (const worker of workers) worker.catch(() => {});
}

/** Everything that a broker has, without taking anything. */
export async function takeStock(endpoint: string): Promise<{ id: string; place: Place }[]> {
  const dead = { subQueueType: 'deadLetter' } as const;
  const parts: { isDead: boolean; open(client: ServiceBusClient): Promise<ServiceBusReceiver> }[] = [
    { isDead: false, open: async (client) => client.createReceiver('orders') },
    { isDead: true, open: async (client) => client.createReceiver('orders', dead) },
    { isDead: true, open: async (client) => client.createReceiver('events', dead) },
    ...['a', 'b', 'c'].map((session) => ({
      isDead: false,
      open: (client: ServiceBusClient) => client.acceptSession('events', session),
    })),
  ];
  const found: { id: string; place: Place }[] = [];
  for (const { isDead, open } of parts) {
    // A client remembers per entity, not per session, how far it has peeked: each gets a client of its own.
    const client = connect(endpoint);
    const receiver = await open(client);
    for (;;) {
      const messages = await receiver.peekMessages(500);
      if (messages.length === 0) break;
      for (const { body, state } of messages) {
        const place = isDead ? 'dead' : state === 'deferred' ? 'deferred' : 'active';
        found.push({ id: String(body), place });
      }
    }
    await client.close();
  }
  return found;
}
