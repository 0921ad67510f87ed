// The target environment on the Azure SDKs. Three identities, each with clients of its own: planning reads and assigns
// roles, replication works on the staging account, cutover makes machines and moves traffic. Nothing here waits long or
// retries: long operations come in two halves (longOperations.ts), and the activities' callers decide about retries.
import type { TokenCredential } from '@azure/identity';
import type { Config } from '../config.ts';
import { createAuthorization } from './authorization.ts';
import { createClients } from './clients.ts';
import { createCapacity } from './capacity.ts';
import { createCompute } from './compute.ts';
import type { Azure } from './contract.ts';
import { createDns } from './dns.ts';
import { createLoadBalancers } from './loadBalancers.ts';
import { createMonitoring } from './monitoring.ts';
import { createNetwork } from './network.ts';
import { createStaging } from './staging.ts';

/** Everything the app does in Azure, by the three identities. */
export function createAzure(
  config: Pick<Config, 'LANDFALL_ARM_ENDPOINT'>,
  credentials: { planning: TokenCredential; replication: TokenCredential; cutover: TokenCredential },
): Azure {
  const endpoint = config.LANDFALL_ARM_ENDPOINT;
  const planning = createClients(endpoint, credentials.planning);
  const replication = createClients(endpoint, credentials.replication);
  const cutover = createClients(endpoint, credentials.cutover);
  return {
    authorization: createAuthorization(planning, { replication, cutover }),
    capacity: createCapacity(planning),
    compute: createCompute(cutover),
    network: createNetwork(cutover),
    dns: createDns(cutover),
    loadBalancers: createLoadBalancers(cutover),
    monitoring: createMonitoring(cutover),
    staging: createStaging(replication),
  };
}
