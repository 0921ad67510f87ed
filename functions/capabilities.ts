// Everything the app reaches, built once per process from settings, and only when it is first asked for: importing the
// app has no side effect.
import { ManagedIdentityCredential } from '@azure/identity';
import { createAzure } from '../shared/azure/azure.ts';
import { createBus } from '../shared/bus/bus.ts';
import type { Capabilities } from '../shared/capabilities.ts';
import { readConfig } from '../shared/config.ts';
import { createHosts } from '../shared/hosts/hosts.ts';
import { createSshKeyring } from '../shared/ssh/credentials.ts';
import { createStore } from '../shared/store/cosmos.ts';
import { createWebhooks } from '../shared/webhooks/webhooks.ts';
import { createPublisher, type Publisher } from './changefeed/eventGrid.ts';

export interface Reach extends Capabilities {
  publisher: Publisher;
}

let built: Reach | undefined;

/** The capabilities of this process. Throws, naming every missing setting, until the settings are complete. */
export function capabilities(): Reach {
  built ??= build();
  return built;
}

function build(): Reach {
  const config = readConfig(process.env);
  const secretOf = (setting: string): string | undefined => process.env[setting];
  const identity = (clientId: string) => new ManagedIdentityCredential({ clientId });
  const credentials = {
    planning: identity(config.LANDFALL_PLANNING_CLIENT_ID),
    replication: identity(config.LANDFALL_REPLICATION_CLIENT_ID),
    cutover: identity(config.LANDFALL_CUTOVER_CLIENT_ID),
  };
  return {
    config,
    now: () => new Date().toISOString(),
    store: createStore(config, credentials.replication),
    bus: createBus(config, credentials.replication),
    azure: createAzure(config, credentials),
    hosts: createHosts(config.LANDFALL_HOSTS, secretOf),
    ssh: createSshKeyring(config.LANDFALL_SSH_CREDENTIALS, secretOf),
    webhooks: createWebhooks(config),
    publisher: createPublisher(config, credentials.replication),
  };
}
