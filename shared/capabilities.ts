// Everything an activity or a trigger may reach, built once from configuration. Tests and rehearsals pass others of the
// same type.
import type { Azure } from './azure/contract.ts';
import type { Bus } from './bus/contract.ts';
import type { Config } from './config.ts';
import type { Hosts } from './hosts/contract.ts';
import type { SshKeyring } from './ssh/credentials.ts';
import type { Store } from './store/contract.ts';
import type { Webhooks } from './webhooks/contract.ts';

export interface Capabilities {
  config: Config;
  /** The current time, ISO 8601 in UTC. */
  now(): string;
  store: Store;
  bus: Bus;
  azure: Azure;
  hosts: Hosts;
  ssh: SshKeyring;
  webhooks: Webhooks;
}
