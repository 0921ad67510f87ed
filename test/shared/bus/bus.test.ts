// The platform's bus against a broker, with appliances' clients that hold nothing but their tokens.
import { createHmac } from 'node:crypto';
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ensurePki, trustCa } from '../../../local/pki.ts';
import { startServiceBus } from '../../../local/servicebus/index.ts';
import { type BusConfig, createBus } from '../../../shared/bus/bus.ts';
import { sasToken } from '../../../shared/bus/sas.ts';
import type { Command } from '../../../shared/protocol/commands.ts';
import { verifyCommand } from '../../../shared/protocol/signing.ts';

const impatient = { retryOptions: { maxRetries: 0, timeoutInMs: 4000 } };
const keys = await generateKeyPair('ES256', { extractable: true });
const publicKey = await exportJWK(keys.publicKey);

async function start() {
  const pki = await ensurePki(undefined);
  trustCa(pki.ca);
  const broker = await startServiceBus({
    tls: pki,
    verifyToken: async () => ({ oid: 'platform' }),
    namespace: {
      Queues: [{ Name: 'appliance-events', Properties: { RequiresSession: true, RequiresDuplicateDetection: true } }],
      Topics: [{ Name: 'appliance-commands', Properties: { RequiresDuplicateDetection: true }, Subscriptions: [] }],
      AuthorizationRules: [
        { KeyName: 'appliance-send', Key: 'send-key', Rights: ['Send'], Entity: 'appliance-events' },
        { KeyName: 'appliance-listen', Key: 'listen-key', Rights: ['Listen'], Entity: 'appliance-commands' },
      ],
    },
  });
  const config: BusConfig = {
    ServiceBus__fullyQualifiedNamespace: broker.host,
    LANDFALL_EVENTS_QUEUE: 'appliance-events',
    LANDFALL_COMMANDS_TOPIC: 'appliance-commands',
    LANDFALL_BUS_SEND_KEY_NAME: 'appliance-send',
    LANDFALL_BUS_SEND_KEY: 'send-key',
    LANDFALL_BUS_LISTEN_KEY_NAME: 'appliance-listen',
    LANDFALL_BUS_LISTEN_KEY: 'listen-key',
    LANDFALL_SIGNING_KEY: (await exportJWK(keys.privateKey)) as BusConfig['LANDFALL_SIGNING_KEY'],
  };
  const bus = createBus(config, {
    getToken: async () => ({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 }),
  });
  const clients: ServiceBusClient[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await bus.close();
    await broker.stop();
  });
  const clientWith = (token: string) => {
    const client = new ServiceBusClient(`Endpoint=sb://${broker.host}/;SharedAccessSignature=${token}`, impatient);
    clients.push(client);
    return client;
  };
  return { bus, clientWith };
}

const cancel = (aud: string, operationId: string): Command => ({
  type: 'landfall.sync.cancel',
  operationId,
  aud,
  data: { waveId: 'w1', workloadId: 'db', syncId: 's' },
});

async function received(
  client: ServiceBusClient,
  applianceId: string,
  count: number,
): Promise<ServiceBusReceivedMessage[]> {
  const receiver = client.createReceiver('appliance-commands', applianceId);
  const messages: ServiceBusReceivedMessage[] = [];
  while (messages.length < count) {
    const more = await receiver.receiveMessages(count - messages.length, { maxWaitTimeInMs: 3000 });
    if (more.length === 0) break;
    for (const message of more) await receiver.completeMessage(message);
    messages.push(...more);
  }
  return messages;
}

describe('the bus', () => {
  it('brings each command to its addressee only, signed, and a repeat not at all', async () => {
    const { bus, clientWith } = await start();
    for (const id of ['agent-1', 'agent-2']) await bus.ensureSubscription(id);
    await bus.ensureSubscription('agent-1');
    await bus.publish(cancel('agent-2', 'o:other'));
    await bus.publish(cancel('agent-1', 'o:1'), { attempt: 1 });
    await bus.publish(cancel('agent-1', 'o:1'), { attempt: 1 });
    await bus.publish(cancel('agent-1', 'o:1'), { attempt: 2 });
    await bus.publish(cancel('agent-1', 'o:end'), { validForSeconds: 60 });
    const messages = await received(clientWith(bus.accessFor('agent-1').commandsToken), 'agent-1', 3);
    expect(messages.map(({ messageId }) => messageId)).toEqual(['o:1#1', 'o:1#2', 'o:end']);
    expect(messages[2]).toMatchObject({ to: 'agent-1', subject: 'landfall.sync.cancel', timeToLive: 60_000 });
    const command = await verifyCommand(String(messages[0]?.body), 'agent-1', publicKey);
    expect(command).toMatchObject({ type: 'landfall.sync.cancel', operationId: 'o:1', data: { syncId: 's' } });
  });

  it('shortens message ids that Service Bus would refuse, and still knows repeats', async () => {
    const { bus, clientWith } = await start();
    await bus.ensureSubscription('agent-1');
    const long = `prepare-${'w'.repeat(42)}.${'x'.repeat(42)}-1:${'y'.repeat(60)}`;
    for (let n = 0; n < 2; n++) await bus.publish(cancel('agent-1', long));
    await bus.publish(cancel('agent-1', 'o:end'));
    const messages = await received(clientWith(bus.accessFor('agent-1').commandsToken), 'agent-1', 2);
    expect(messages[0]?.messageId).toHaveLength(64);
    expect(messages[1]?.messageId).toBe('o:end');
  });

  it('gives an appliance tokens for its own entities, which open nobody else’s', async () => {
    const { bus, clientWith } = await start();
    for (const id of ['agent-1', 'agent-10']) await bus.ensureSubscription(id);
    const access = bus.accessFor('agent-1');
    const sending = clientWith(access.eventsToken);
    await sending.createSender('appliance-events').sendMessages({ body: 'event', sessionId: 's' });
    await expect(sending.acceptSession('appliance-events', 's')).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
    const listening = clientWith(access.commandsToken);
    await expect(listening.createReceiver('appliance-commands', 'agent-1').peekMessages(1)).resolves.toEqual([]);
    await expect(listening.createReceiver('appliance-commands', 'agent-10').peekMessages(1)).rejects.toMatchObject({
      code: 'UnauthorizedAccess',
    });
    await expect(listening.createSender('appliance-commands').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'UnauthorizedAccess',
    });
    expect(Date.parse(access.expiresAt) - Date.now()).toBeLessThanOrEqual(3_600_000);
  });

  it('removes a subscription, and does not mind that it is gone', async () => {
    const { bus, clientWith } = await start();
    await bus.ensureSubscription('agent-1');
    await bus.removeSubscription('agent-1');
    await bus.removeSubscription('agent-1');
    const receiver = clientWith(bus.accessFor('agent-1').commandsToken).createReceiver('appliance-commands', 'agent-1');
    await expect(receiver.receiveMessages(1, { maxWaitTimeInMs: 1000 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    });
  });
});

it('a SAS token signs its resource and its expiry', () => {
  const token = sasToken(
    'localhost:5671',
    'appliance-events',
    { name: 'rule', key: 'key' },
    new Date(1_800_000_000_999),
  );
  const sr = 'sb%3A%2F%2Flocalhost%3A5671%2Fappliance-events';
  const sig = encodeURIComponent(createHmac('sha256', 'key').update(`${sr}\n1800000000`).digest('base64'));
  expect(token).toBe(`SharedAccessSignature sr=${sr}&sig=${sig}&se=1800000000&skn=rule`);
});
