// The program by itself, with Microsoft's sample configuration, its documented connection string, and no other file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ServiceBusAdministrationClient, ServiceBusClient } from '@azure/service-bus';
import { expect, it, onTestFinished } from 'vitest';
import { readNamespaceFile } from '../../../local/servicebus/configFile.ts';
import { trustCa } from '../../../local/pki.ts';
import { readFileSync } from 'node:fs';
import { temporaryDirectory } from './harness.ts';

const queue = {
  DeadLetteringOnMessageExpiration: false,
  DefaultMessageTimeToLive: 'PT1H',
  DuplicateDetectionHistoryTimeWindow: 'PT20S',
  ForwardDeadLetteredMessagesTo: '',
  ForwardTo: '',
  LockDuration: 'PT1M',
  MaxDeliveryCount: 3,
  RequiresDuplicateDetection: false,
  RequiresSession: false,
};
const subscription = {
  DeadLetteringOnMessageExpiration: false,
  DefaultMessageTimeToLive: 'PT1H',
  LockDuration: 'PT1M',
  MaxDeliveryCount: 3,
  ForwardDeadLetteredMessagesTo: '',
  ForwardTo: '',
  RequiresSession: false,
};
// https://learn.microsoft.com/azure/service-bus-messaging/test-locally-with-service-bus-emulator#configure-the-emulator
const config = {
  UserConfig: {
    Namespaces: [
      {
        Name: 'sbemulatorns',
        Queues: [
          { Name: 'first', Properties: { ...queue, ForwardDeadLetteredMessagesTo: 'queue.1' } },
          { Name: 'queue.1', Properties: queue },
        ],
        Topics: [
          {
            Name: 'topic.1',
            Properties: {
              DefaultMessageTimeToLive: 'PT1H',
              DuplicateDetectionHistoryTimeWindow: 'PT20S',
              RequiresDuplicateDetection: false,
            },
            Subscriptions: [
              {
                Name: 'subscription.1',
                Properties: subscription,
                Rules: [
                  {
                    Name: 'app-prop-filter-1',
                    Properties: {
                      FilterType: 'Correlation',
                      CorrelationFilter: {
                        ContentType: 'application/json',
                        Label: 'subject1',
                        Properties: { prop1: 'value1' },
                      },
                    },
                  },
                ],
              },
              {
                Name: 'subscription.4',
                Properties: subscription,
                Rules: [
                  {
                    Name: 'sql-filter-1',
                    Properties: {
                      FilterType: 'Sql',
                      SqlFilter: { SqlExpression: "sys.MessageId = '123456' AND userProp1 = 'value1'" },
                      Action: { SqlExpression: "SET sys.To = 'Entity'" },
                    },
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
    Logging: { Type: 'File' },
  },
};

it('starts with the configuration of the emulator, keeps its data, and stops when asked', async () => {
  const folder = temporaryDirectory();
  const file = join(folder, 'Config.json');
  writeFileSync(file, JSON.stringify(config));
  const begin = async () => {
    const args = [
      'cli/main.ts',
      'local',
      'servicebus',
      '--port',
      '0',
      '--data',
      join(folder, 'data'),
      '--config',
      file,
    ];
    const child = spawn(process.execPath, [...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const stop = async () => {
      child.kill('SIGTERM');
      return (await once(child, 'exit')) as [number | null];
    };
    return { ...(JSON.parse(line) as { endpoint: string; connectionString: string; caFile: string }), stop };
  };
  const first = await begin();
  const key = 'SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE';
  const client = new ServiceBusClient(`Endpoint=${first.endpoint};${key};UseDevelopmentEmulator=true;`);
  await client
    .createSender('topic.1')
    .sendMessages([
      { body: 1, contentType: 'application/json', subject: 'subject1', applicationProperties: { prop1: 'value1' } },
      { body: 2, messageId: '123456', applicationProperties: { userProp1: 'value1' } },
      { body: 3 },
    ]);
  const peek = (name: string) => client.createReceiver('topic.1', name).peekMessages(9);
  expect((await peek('subscription.1')).map(({ body }) => body)).toEqual([1]);
  expect(await peek('subscription.4')).toMatchObject([{ body: 2, to: 'Entity' }]);
  await client.close();
  trustCa(readFileSync(first.caFile, 'utf8'));
  const admin = new ServiceBusAdministrationClient(first.connectionString);
  expect((await admin.getQueue('first')).forwardDeadLetteredMessagesTo).toBe(`${first.endpoint}/queue.1`);
  await admin.createQueue('made');
  expect(await first.stop()).toEqual([0, null]);
  const second = await begin();
  expect(await new ServiceBusAdministrationClient(second.connectionString).queueExists('made')).toBe(true);
  await second.stop();
});

it('says which field of which file is wrong', () => {
  const file = join(temporaryDirectory(), 'Config.json');
  const read = (content: string) => {
    writeFileSync(file, content);
    return () => readNamespaceFile(file);
  };
  expect(read('{')).toThrow(/Config\.json cannot be read as JSON/);
  expect(read(JSON.stringify({ Queues: [{ Nam: 'q' }] }))).toThrow(/Config\.json is not .*\n.*\n.*Queues\[0\]\.Name/);
  expect(read(JSON.stringify({ UserConfig: { Namespaces: [] } }))).toThrow(/exactly one namespace/);
});
