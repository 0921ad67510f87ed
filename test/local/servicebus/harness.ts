// A broker with real clients around it, for the tests of this folder.
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBusAdministrationClient, ServiceBusClient, type ServiceBusClientOptions } from '@azure/service-bus';
import { onTestFinished } from 'vitest';
import { ensurePki, type Pki, trustCa } from '../../../local/pki.ts';
import {
  type NamespaceInput,
  type RunningServiceBus,
  type ServiceBusOptions,
  startServiceBus,
} from '../../../local/servicebus/index.ts';

export const rootKey = 'root-key-for-tests';
const rootRule = {
  KeyName: 'root',
  Key: rootKey,
  Rights: ['Manage', 'Send', 'Listen'] as ('Manage' | 'Send' | 'Listen')[],
};

/** Fails at once instead of retrying for minutes. */
export const impatient: ServiceBusClientOptions = {
  retryOptions: { maxRetries: 0, timeoutInMs: 4000, retryDelayInMs: 100 },
};

let made: Promise<Pki> | undefined;

/** One certificate for all tests of a file, trusted by this process. */
export function pki(): Promise<Pki> {
  made ??= ensurePki(undefined).then((pki) => {
    trustCa(pki.ca);
    return pki;
  });
  return made;
}

/** A data directory that goes away with the test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'servicebus-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Running extends RunningServiceBus {
  connectionString: string;
  client(options?: ServiceBusClientOptions): ServiceBusClient;
  admin(): ServiceBusAdministrationClient;
}

/** Starts a broker over TLS; it and its clients stop with the test. */
export async function start(namespace: NamespaceInput, options: Partial<ServiceBusOptions> = {}): Promise<Running> {
  const bus = await startServiceBus({
    tls: await pki(),
    ...options,
    namespace: { ...namespace, AuthorizationRules: [rootRule, ...(namespace.AuthorizationRules ?? [])] },
  });
  const connectionString = `Endpoint=${bus.endpoint}/;SharedAccessKeyName=root;SharedAccessKey=${rootKey}`;
  const clients: ServiceBusClient[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await bus.stop();
  });
  return {
    ...bus,
    connectionString,
    client(clientOptions = impatient) {
      const client = new ServiceBusClient(connectionString, clientOptions);
      clients.push(client);
      return client;
    },
    admin: () => new ServiceBusAdministrationClient(connectionString),
  };
}

/** A SAS token for one resource, as a portal would make it. */
export function sasToken(resource: string, keyName: string, key: string, seconds = 600): string {
  const sr = encodeURIComponent(resource);
  const se = Math.floor(Date.now() / 1000) + seconds;
  const sig = encodeURIComponent(createHmac('sha256', key).update(`${sr}\n${se}`).digest('base64'));
  return `SharedAccessSignature sr=${sr}&sig=${sig}&se=${se}&skn=${keyName}`;
}
