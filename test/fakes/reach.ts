// What the app reaches, without a network: a store in memory, a bus that keeps what was sent, a clock that tests turn.
import { exportJWK, generateKeyPair } from 'jose';
import type { Azure } from '../../shared/azure/contract.ts';
import type { Bus } from '../../shared/bus/contract.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import { readConfig } from '../../shared/config.ts';
import type { ActivityCall } from '../../shared/durable/activity.ts';
import { hashOf } from '../../shared/hash.ts';
import type { Hosts } from '../../shared/hosts/contract.ts';
import type { WavePlan } from '../../shared/model/plan.ts';
import type { WaveDefinition } from '../../shared/model/wave.ts';
import { resolvePlan } from '../../shared/policy/resolvePlan.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import { createSshKeyring } from '../../shared/ssh/credentials.ts';
import { createMemoryStore } from '../../shared/store/memory.ts';
import type { ContainerName } from '../../shared/store/storeOn.ts';
import { post } from '../../shared/versions/post.ts';
import type { Webhooks } from '../../shared/webhooks/contract.ts';
import { environment, profile, sources, waveDefinition } from './definitions.ts';

export const platformKeys = await generateKeyPair('ES256', { extractable: true });
const signingKey = JSON.stringify(await exportJWK(platformKeys.privateKey));

export const config = readConfig({
  LANDFALL_PUBLIC_URL: 'http://127.0.0.1:7071',
  LANDFALL_AUTH_ISSUER: 'https://issuer.example/v2.0',
  LANDFALL_AUTH_AUDIENCE: 'api://landfall',
  LANDFALL_AUTH_JWKS_URL: 'http://127.0.0.1:1/keys',
  LANDFALL_SIGNING_KEY: signingKey,
  LANDFALL_PLANNING_CLIENT_ID: 'planning',
  LANDFALL_REPLICATION_CLIENT_ID: 'replication',
  LANDFALL_CUTOVER_CLIENT_ID: 'cutover',
  LANDFALL_BUS_SEND_KEY: 'send-key',
  LANDFALL_BUS_LISTEN_KEY: 'listen-key',
  ServiceBus__fullyQualifiedNamespace: 'localhost:5671',
  Cosmos__accountEndpoint: 'https://localhost:8081',
});

export interface Sent {
  command: Command;
  attempt: number | undefined;
}

/** A bus that remembers. */
export class FakeBus implements Bus {
  readonly sent: Sent[] = [];
  readonly subscriptions = new Set<string>();
  /** Fails the next publish, as a broken connection would. */
  broken = false;

  async publish(command: Command, options: { attempt?: number } = {}): Promise<void> {
    if (this.broken) throw new Error('the connection is gone');
    this.sent.push({ command, attempt: options.attempt });
  }
  async ensureSubscription(applianceId: string): Promise<void> {
    this.subscriptions.add(applianceId);
  }
  async removeSubscription(applianceId: string): Promise<void> {
    this.subscriptions.delete(applianceId);
  }
  accessFor(applianceId: string) {
    return {
      host: 'localhost:5671',
      eventsQueue: 'appliance-events',
      eventsToken: 'SharedAccessSignature events',
      commandsTopic: 'appliance-commands',
      commandsSubscription: applianceId,
      commandsToken: 'SharedAccessSignature commands',
      expiresAt: '2026-12-01T01:00:00.000Z',
    };
  }
  async close(): Promise<void> {}
}

export interface FakeReach extends Capabilities {
  bus: FakeBus;
  /** Moves the clock forward. */
  pass(milliseconds: number): void;
}

const notHere = <T extends object>(what: string): T =>
  new Proxy({} as T, {
    get: (_target, name) => {
      throw new Error(`${what}.${String(name)} is not part of this test`);
    },
  });

/** Fresh capabilities at 2026-12-01T00:00:00Z; `changed` hears of every write as the change feed would. */
export function fakeReach(changed?: (container: ContainerName, document: unknown) => void): FakeReach {
  let clock = Date.parse('2026-12-01T00:00:00.000Z');
  const now = () => new Date(clock).toISOString();
  return {
    config,
    now,
    store: createMemoryStore(changed, now),
    bus: new FakeBus(),
    azure: notHere<Azure>('azure'),
    hosts: notHere<Hosts>('hosts'),
    ssh: createSshKeyring(),
    webhooks: notHere<Webhooks>('webhooks'),
    pass: (milliseconds) => {
      clock += milliseconds;
    },
  };
}

/** The plan of the example wave. */
export function examplePlan(definition = waveDefinition()): WavePlan {
  const now = '2026-12-01T00:00:00.000Z';
  const resolved = resolvePlan({ definition, environment, profile, sources, now }, hashOf);
  if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems));
  return resolved.plan;
}

/** Inventory and the example wave, stored as the HTTP API would. */
export async function withWave(reach: FakeReach, settings?: WaveDefinition['settings']): Promise<WavePlan> {
  const { store, now } = reach;
  await store.environments.put(environment);
  await store.profiles.put(profile);
  for (const source of sources) await store.sources.put(source);
  const definition = { ...waveDefinition(), ...(settings && { settings }) };
  const plan = examplePlan(definition);
  await post(store, { definition, plan, by: 'ada', at: now() });
  return plan;
}

/** What an orchestration would send to an activity. */
export function callWith(input: unknown, call: Partial<ActivityCall> = {}): ActivityCall {
  return { operationId: 'prepare-w1.db-1:activity:1', attempt: 1, waveId: 'w1', ...call, input };
}
