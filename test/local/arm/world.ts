// A local ARM for tests: certificates that this process trusts, three callers, and the real SDK clients.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthorizationManagementClient } from '@azure/arm-authorization';
import { ComputeManagementClient } from '@azure/arm-compute';
import { DnsManagementClient } from '@azure/arm-dns';
import { NetworkManagementClient } from '@azure/arm-network';
import { PrivateDnsManagementClient } from '@azure/arm-privatedns';
import { ResourceManagementClient } from '@azure/arm-resources';
import { type ArmOptions, type Fault, type RunningArm, startArm } from '../../../local/arm/main.ts';
import { ensurePki, trustCa } from '../../../local/pki.ts';

export const subscriptionId = '11111111-1111-4111-8111-111111111111';
export const owner = '00000000-0000-4000-8000-00000000000a';
export const limited = '00000000-0000-4000-8000-00000000000b';
export const stranger = '00000000-0000-4000-8000-00000000000c';
export const scope = `/subscriptions/${subscriptionId}`;
export const location = 'westeurope';
/** New-generation clients poll fast in tests. */
export const fast = { updateIntervalInMs: 20 };

export interface World {
  arm: RunningArm;
  dataDir: string;
  faults: Fault[];
  restart(options?: { keepMachines?: boolean }): Promise<void>;
  as(oid: string, maxRetries?: number): Clients;
  stop(): Promise<void>;
}

export interface Clients {
  compute: ComputeManagementClient;
  network: NetworkManagementClient;
  resources: ResourceManagementClient;
  authorization: AuthorizationManagementClient;
  dns: DnsManagementClient;
  privateDns: PrivateDnsManagementClient;
}

const pki = await ensurePki(undefined);
trustCa(pki.ca);

/** A token is the caller's object id: verifying real tokens is not this server's business. */
const verifyToken = async (jwt: string): Promise<{ oid: string }> => {
  if (!jwt.startsWith('test.')) throw new Error('not a token of this test');
  return { oid: jwt.slice('test.'.length) };
};

export function credentialOf(oid: string): { getToken(): Promise<{ token: string; expiresOnTimestamp: number }> } {
  return { getToken: async () => ({ token: `test.${oid}`, expiresOnTimestamp: Date.now() + 3_600_000 }) };
}

export async function startWorld(options: Partial<ArmOptions> = {}): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'landfall-arm-test-'));
  const faults: Fault[] = [];
  const start = (port: number): Promise<RunningArm> =>
    startArm({
      dataDir,
      port,
      tls: pki,
      tenantId: '22222222-2222-4222-8222-222222222222',
      repoRoot: process.cwd(),
      openBlob: async () => Promise.reject(new Error('no such blob')),
      verifyToken,
      latency: 30,
      propagation: 100,
      faults,
      ...options,
      declared: {
        subscriptions: [{ subscriptionId, location, quota: { cores: 10 } }],
        ...options.declared,
        roleAssignments: [
          { scope, principalId: owner, roleName: 'Owner' },
          ...(options.declared?.roleAssignments ?? []),
        ],
      },
    });
  const world: World = {
    arm: await start(0),
    dataDir,
    faults,
    async restart(how) {
      const port = Number(new URL(world.arm.endpoint).port);
      await world.arm.stop(how);
      world.arm = await start(port);
    },
    as: (oid, maxRetries = 2) => clients(world.arm.endpoint, oid, maxRetries),
    async stop() {
      await world.arm.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return world;
}

/** A client's idle connection does not survive a restart of the server, hence quick retries. */
function clients(endpoint: string, oid: string, maxRetries: number): Clients {
  const credential = credentialOf(oid);
  const options = { endpoint, retryOptions: { maxRetries, retryDelayInMs: 5 } };
  return {
    compute: new ComputeManagementClient(credential, subscriptionId, options),
    network: new NetworkManagementClient(credential, subscriptionId, options),
    resources: new ResourceManagementClient(credential, subscriptionId, options),
    authorization: new AuthorizationManagementClient(credential, subscriptionId, options),
    dns: new DnsManagementClient(credential, subscriptionId, options),
    privateDns: new PrivateDnsManagementClient(credential, subscriptionId, options),
  };
}

/** Collects a paged list. */
export async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
}
