// The SDK clients, one per identity and subscription. The SDKs' own retries are off: they sleep through a Retry-After
// inside the activity, where durable timers are cheaper and survive a restart.
import { AuthorizationManagementClient } from '@azure/arm-authorization';
import { ComputeManagementClient } from '@azure/arm-compute';
import { DnsManagementClient } from '@azure/arm-dns';
import { NetworkManagementClient } from '@azure/arm-network';
import { PrivateDnsManagementClient } from '@azure/arm-privatedns';
import { ResourceManagementClient } from '@azure/arm-resources';
import type { TokenCredential } from '@azure/identity';

// The audience of Azure Resource Manager's tokens in the public cloud. Left alone, the clients would derive one from the
// endpoint, and Entra ID issues no token for a resource that it does not know.
export const armScope = 'https://management.azure.com/.default';

export interface Clients {
  endpoint: string;
  credential: TokenCredential;
  authorization(subscriptionId: string): AuthorizationManagementClient;
  compute(subscriptionId: string): ComputeManagementClient;
  dns(subscriptionId: string): DnsManagementClient;
  network(subscriptionId: string): NetworkManagementClient;
  privateDns(subscriptionId: string): PrivateDnsManagementClient;
  resources(subscriptionId: string): ResourceManagementClient;
}

/** The clients of one identity. */
export function createClients(endpoint: string, credential: TokenCredential): Clients {
  const retryOptions = { maxRetries: 0 };
  const newer = { endpoint, retryOptions, credentials: { scopes: [armScope] } };
  const older = { endpoint, $host: endpoint, retryOptions, credentialScopes: armScope };
  return {
    endpoint,
    credential,
    authorization: perSubscription((id) => new AuthorizationManagementClient(credential, id, older)),
    compute: perSubscription((id) => new ComputeManagementClient(credential, id, newer)),
    dns: perSubscription((id) => new DnsManagementClient(credential, id, older)),
    network: perSubscription((id) => new NetworkManagementClient(credential, id, newer)),
    privateDns: perSubscription((id) => new PrivateDnsManagementClient(credential, id, newer)),
    resources: perSubscription((id) => new ResourceManagementClient(credential, id, newer)),
  };
}

function perSubscription<T>(create: (subscriptionId: string) => T): (subscriptionId: string) => T {
  const made = new Map<string, T>();
  return (subscriptionId) => {
    const known = made.get(subscriptionId) ?? create(subscriptionId);
    made.set(subscriptionId, known);
    return known;
  };
}
