// The class of @azure/core-auth, by way of a direct dependency.
import { AzureSASCredential } from '@azure/eventgrid';
import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { describe, expect, it, onTestFinished } from 'vitest';
import { impatient, rootKey, sasToken, start } from './harness.ts';

const soon = { maxWaitTimeInMs: 3000 };
const namespace = {
  Queues: [{ Name: 'appliance-events', Properties: { RequiresSession: true } }],
  Topics: [{ Name: 'appliance-commands', Subscriptions: [{ Name: 'a1' }, { Name: 'a10' }] }],
  AuthorizationRules: [
    { KeyName: 'appliance-send', Key: 'send-key', Rights: ['Send' as const], Entity: 'appliance-events' },
    { KeyName: 'appliance-listen', Key: 'listen-key', Rights: ['Listen' as const], Entity: 'appliance-commands' },
  ],
};
const unauthorized = { code: 'UnauthorizedAccess' };

function clientOf(host: string, token: string): ServiceBusClient {
  const client = new ServiceBusClient(host, new AzureSASCredential(token), impatient);
  onTestFinished(() => client.close());
  return client;
}

describe('authorization', () => {
  it('lets an appliance send with a token of the events queue, and nothing else', async () => {
    const bus = await start(namespace);
    const client = clientOf(bus.host, sasToken(`${bus.endpoint}/appliance-events`, 'appliance-send', 'send-key'));
    await client.createSender('appliance-events').sendMessages({ body: 1, sessionId: 's' });
    await expect(client.acceptSession('appliance-events', 's')).rejects.toMatchObject(unauthorized);
    await expect(client.createSender('appliance-commands').sendMessages({ body: 1 })).rejects.toMatchObject(
      unauthorized,
    );
  });

  it('lets an appliance listen with a token of its subscription, and not on another', async () => {
    const bus = await start(namespace);
    const token = sasToken(`${bus.endpoint}/appliance-commands/Subscriptions/a1`, 'appliance-listen', 'listen-key');
    const client = new ServiceBusClient(`Endpoint=${bus.endpoint}/;SharedAccessSignature=${token}`, impatient);
    onTestFinished(() => client.close());
    const got = new Promise((resolve, reject) => {
      client.createReceiver('appliance-commands', 'a1').subscribe({
        processMessage: async (message) => resolve(message.body),
        processError: async ({ error }) => reject(error),
      });
    });
    await bus.client().createSender('appliance-commands').sendMessages({ body: 'command' });
    expect(await got).toBe('command');
    for (const other of ['a10', 'a2']) {
      const receiving = client.createReceiver('appliance-commands', other).receiveMessages(1, soon);
      await expect(receiving).rejects.toMatchObject(unauthorized);
    }
    await expect(client.createReceiver('appliance-commands', 'a10').peekMessages(1)).rejects.toMatchObject(
      unauthorized,
    );
    await expect(client.createSender('appliance-commands').sendMessages({ body: 1 })).rejects.toMatchObject(
      unauthorized,
    );
  });

  it('refuses wrong keys, expired tokens and keys used beyond their entity', async () => {
    const bus = await start(namespace);
    const resource = `${bus.endpoint}/appliance-events`;
    const tokens = [
      sasToken(resource, 'appliance-send', 'wrong'),
      sasToken(resource, 'unknown', 'send-key'),
      sasToken(resource, 'appliance-send', 'send-key', -10),
      sasToken(`${bus.endpoint}/`, 'appliance-send', 'send-key'),
      sasToken(`${bus.endpoint}/appliance-commands`, 'appliance-send', 'send-key'),
    ];
    for (const token of tokens) {
      const sending = clientOf(bus.host, token)
        .createSender('appliance-events')
        .sendMessages({ body: 1, sessionId: 's' });
      await expect(sending).rejects.toMatchObject(unauthorized);
    }
  });

  it('closes the links of a token that expires', async () => {
    const bus = await start(namespace);
    const resource = `${bus.endpoint}/appliance-commands/subscriptions/a1`;
    const client = clientOf(bus.host, sasToken(resource, 'appliance-listen', 'listen-key', 2));
    const failed = new Promise((resolve) => {
      client.createReceiver('appliance-commands', 'a1').subscribe({
        processMessage: async () => {},
        processError: async ({ error }) => resolve(error),
      });
    });
    expect(await failed).toMatchObject(unauthorized);
  });

  it('goes on serving a subscriber whose token was renewed before it expired', async () => {
    const bus = await start(namespace);
    const resource = `${bus.endpoint}/appliance-commands/Subscriptions/a1`;
    const credential = new AzureSASCredential(sasToken(resource, 'appliance-listen', 'listen-key', 2));
    const client = new ServiceBusClient(bus.host, credential, { retryOptions: { maxRetries: 3, retryDelayInMs: 100 } });
    onTestFinished(() => client.close());
    const errors: unknown[] = [];
    const got = new Promise((resolve) => {
      client.createReceiver('appliance-commands', 'a1').subscribe({
        processMessage: async (message) => resolve(message.body),
        processError: async ({ error }) => void errors.push(error),
      });
    });
    credential.update(sasToken(resource, 'appliance-listen', 'listen-key', 600));
    await new Promise((resolve) => setTimeout(resolve, 2200));
    await bus.client().createSender('appliance-commands').sendMessages({ body: 'after' });
    expect(await got).toBe('after');
    expect(errors).toEqual([]);
  });

  it('needs Manage for administration', async () => {
    const bus = await start(namespace);
    const connection = `Endpoint=${bus.endpoint}/;SharedAccessKeyName=appliance-listen;SharedAccessKey=listen-key`;
    const admin = new ServiceBusAdministrationClient(connection);
    await expect(admin.getTopic('appliance-commands')).rejects.toMatchObject({ statusCode: 401 });
    const wrong = new ServiceBusAdministrationClient(
      `Endpoint=${bus.endpoint}/;SharedAccessKeyName=root;SharedAccessKey=x${rootKey}`,
    );
    await expect(wrong.createQueue('q')).rejects.toMatchObject({ statusCode: 401 });
  });

  it('gives Entra tokens full rights once they are verified, for messages and administration', async () => {
    const verifyToken = async (jwt: string) => {
      if (jwt !== 'good') throw new Error('not ours');
      return { oid: 'o' };
    };
    const bus = await start(namespace, { verifyToken });
    const credential = (token: string) => ({
      getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
    });
    const admin = new ServiceBusAdministrationClient(bus.host, credential('good'));
    await admin.createQueue('q');
    const client = new ServiceBusClient(bus.host, credential('good'), impatient);
    const bad = new ServiceBusClient(bus.host, credential('bad'), impatient);
    onTestFinished(async () => {
      await Promise.all([client.close(), bad.close()]);
    });
    await client.createSender('q').sendMessages({ body: 1 });
    expect(await client.createReceiver('q').peekMessages(1)).toHaveLength(1);
    await expect(bad.createSender('q').sendMessages({ body: 1 })).rejects.toMatchObject(unauthorized);
    await expect(
      new ServiceBusAdministrationClient(bus.host, credential('bad')).createQueue('r'),
    ).rejects.toMatchObject({ statusCode: 401 });
  });
});
