// What the tests of this folder hold any Service Bus to, with the unmodified @azure/service-bus as its only client:
//   SERVICEBUS_CONTRACT='Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…' npx vitest run test/local/servicebus/contract
// runs them against that namespace (the key needs Manage; entities are made and deleted), without it against ours.
import { randomUUID } from 'node:crypto';
import {
  type CreateQueueOptions,
  type CreateSubscriptionOptions,
  type CreateTopicOptions,
  ServiceBusAdministrationClient,
  ServiceBusClient,
  type ServiceBusClientOptions,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from '@azure/service-bus';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { AdvancingClock } from '../../../../local/servicebus/advancingClock.ts';
import { startServiceBus } from '../../../../local/servicebus/index.ts';
import { impatient, pki, rootKey } from '../harness.ts';

const real = process.env['SERVICEBUS_CONTRACT'];

/** How long a receive waits for what must come. It ends as soon as it has come. */
export const soon = { maxWaitTimeInMs: real ? 20_000 : 4000 };
/** How long a receive waits for what must not come. */
export const briefly = { maxWaitTimeInMs: real ? 3000 : 100 };

export interface Contract {
  connectionString: string;
  /** One for all tests of the file. */
  client: ServiceBusClient;
  admin: ServiceBusAdministrationClient;
  another(options?: ServiceBusClientOptions): ServiceBusClient;
  /** Each makes an entity for one test and returns its name. */
  queue(options?: CreateQueueOptions): Promise<string>;
  topic(options?: CreateTopicOptions): Promise<string>;
  subscription(topic: string, options?: CreateSubscriptionOptions, name?: string): Promise<string>;
  /** A time after the service's own. */
  inTime(ms: number): Date;
  /** Lets time pass for the service: at once here, really there. */
  pass(ms: number): Promise<void>;
}

export function useContract(): Contract {
  const contract = {} as Contract;
  const undo: (() => Promise<unknown>)[] = [];
  const later = (run: () => Promise<unknown>) => void undo.unshift(run);

  async function startLocal(): Promise<string> {
    const clock = new AdvancingClock();
    const rule = { KeyName: 'root', Key: rootKey, Rights: ['Manage' as const] };
    const bus = await startServiceBus({ tls: await pki(), clock, namespace: { AuthorizationRules: [rule] } });
    later(() => bus.stop());
    contract.pass = async (ms) => clock.advance(ms);
    contract.inTime = (ms) => new Date(clock.now() + ms);
    return `Endpoint=${bus.endpoint}/;SharedAccessKeyName=root;SharedAccessKey=${rootKey}`;
  }

  beforeAll(async () => {
    contract.pass = async (ms) => void (await sleep(ms));
    contract.inTime = (ms) => new Date(Date.now() + ms);
    const connectionString = real ?? (await startLocal());
    const admin = new ServiceBusAdministrationClient(connectionString);
    const name = () => `contract-${randomUUID().slice(0, 13)}`;
    const forget = (run: () => Promise<unknown>) => real && later(() => run().catch(() => {}));
    Object.assign(contract, {
      connectionString,
      admin,
      another(options: ServiceBusClientOptions = impatient) {
        const client = new ServiceBusClient(connectionString, options);
        later(() => client.close());
        return client;
      },
      async queue(options) {
        const queue = name();
        await admin.createQueue(queue, options);
        forget(() => admin.deleteQueue(queue));
        return queue;
      },
      async topic(options) {
        const topic = name();
        await admin.createTopic(topic, options);
        forget(() => admin.deleteTopic(topic));
        return topic;
      },
      async subscription(topic, options, subscription = name()) {
        await admin.createSubscription(topic, subscription, options);
        return subscription;
      },
    } satisfies Partial<Contract>);
    contract.client = contract.another();
  });
  afterAll(async () => {
    for (const run of undo) await run();
  });
  return contract;
}

/** The next message. (Asked for more than one, the client waits a second for the others.) */
export async function only(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage> {
  const found = await receiver.receiveMessages(1, soon);
  expect(found).toHaveLength(1);
  return found[0] as ServiceBusReceivedMessage;
}

export const bodies = (messages: ServiceBusReceivedMessage[]): unknown[] => messages.map(({ body }) => body);
