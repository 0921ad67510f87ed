import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { expect, it, onTestFinished } from 'vitest';
import { startIdentity } from '../../../local/identity/server.ts';
import { impatient, start } from './harness.ts';

it('takes the tokens that local/identity issues for Service Bus, for messages and administration, and no others', async () => {
  const identity = await startIdentity({
    tenantId: '11111111-1111-4111-8111-111111111111',
    users: [{ name: 'ada', oid: '22222222-2222-4222-8222-222222222222', roles: [] }],
    managedIdentities: [],
  });
  onTestFinished(() => identity.stop());
  const bus = await start({ Queues: [{ Name: 'q' }] }, { verifyToken: identity.verifyToken });
  const asked: string[] = [];
  const credential = (audience?: string) => ({
    async getToken(scopes: string | string[]) {
      const [scope = ''] = [scopes].flat();
      asked.push(scope);
      const token = await identity.tokenFor('ada', audience ?? scope.replace(/\/\.default$/, ''));
      return { token, expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  });
  const client = new ServiceBusClient(bus.host, credential(), impatient);
  onTestFinished(() => client.close());
  await client.createSender('q').sendMessages({ body: 1 });
  expect(await client.createReceiver('q').peekMessages(1)).toMatchObject([{ body: 1 }]);
  const admin = new ServiceBusAdministrationClient(bus.host, credential());
  expect(await admin.queueExists('q')).toBe(true);
  for (const scope of asked) expect(scope).toMatch(/^https:\/\/servicebus\.azure\.net\/+\.default$/);

  const wrong = new ServiceBusClient(bus.host, credential('https://storage.azure.com'), impatient);
  onTestFinished(() => wrong.close());
  await expect(wrong.createSender('q').sendMessages({ body: 2 })).rejects.toMatchObject({ code: 'UnauthorizedAccess' });
  const outsider = new ServiceBusAdministrationClient(bus.host, credential('https://storage.azure.com'));
  await expect(outsider.getQueue('q')).rejects.toMatchObject({ statusCode: 401 });
});
