// Backend pools of load balancers. A pool knows its members by their network interfaces, which then name the pool, or by
// addresses that it holds itself.
// https://learn.microsoft.com/azure/load-balancer/backend-pool-management
import type { BackendAddressPool, LoadBalancerBackendAddress, NetworkInterface } from '@azure/arm-network';
import type { Environment } from '../model/environment.ts';
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure, PoolAddress } from './contract.ts';
import { finish } from './longOperations.ts';
import { machineNic, putNic } from './machineNic.ts';
import { requireOurs } from './ownership.ts';
import { parseIdOf, sameId } from './resourceIds.ts';

const poolType = 'Microsoft.Network/loadBalancers/backendAddressPools';

export function createLoadBalancers(clients: Clients): Azure['loadBalancers'] {
  const at = (poolId: string) => {
    const { subscriptionId, resourceGroup, names, name } = parseIdOf(poolType, poolId);
    const pools = clients.network(subscriptionId).loadBalancerBackendAddressPools;
    const [balancer = ''] = names;
    return {
      read: () => attempt(`reading backend pool ${name}`, () => pools.get(resourceGroup, balancer, name)),
      write: (pool: BackendAddressPool) =>
        finish(`writing backend pool ${name}`, () =>
          pools.createOrUpdate(resourceGroup, balancer, name, pool, { updateIntervalInMs: 500 }),
        ),
    };
  };
  const addressesOf = ({ loadBalancerBackendAddresses = [] }: BackendAddressPool): LoadBalancerBackendAddress[] =>
    loadBalancerBackendAddresses.filter(({ networkInterfaceIPConfiguration }) => !networkInterfaceIPConfiguration);

  return {
    async pool(poolId) {
      const pool = await at(poolId).read();
      if (addressesOf(pool).length > 0) return { by: 'addresses' };
      return { by: (pool.backendIPConfigurations ?? []).length > 0 ? 'interfaces' : 'nothing' };
    },

    async address(poolId, address) {
      const addresses = addressesOf(await at(poolId).read());
      const place = addresses.findIndex(({ ipAddress }) => ipAddress === address);
      const found = addresses[place];
      return found && { place, ...plain(found, address) };
    },

    async takeOut(poolId, address) {
      const pool = at(poolId);
      const found = await pool.read();
      const addresses = addressesOf(found);
      const left = addresses.filter(({ ipAddress }) => ipAddress !== address);
      if (left.length < addresses.length) await pool.write({ ...found, loadBalancerBackendAddresses: left });
    },

    async putBack(poolId, { place, ...entry }) {
      const pool = at(poolId);
      const found = await pool.read();
      const addresses = addressesOf(found);
      if (addresses.some(({ ipAddress }) => ipAddress === entry.address)) return;
      const put = addresses.toSpliced(Math.min(place, addresses.length), 0, asWritten(entry));
      await pool.write({ ...found, loadBalancerBackendAddresses: put });
    },

    async has(environment, machineName, poolId) {
      return isIn(await machineNic(clients, environment, machineName), poolId);
    },

    async join(environment, machineName, poolId) {
      const nic = await machineNic(clients, environment, machineName);
      if (isIn(nic, poolId)) return;
      requireOurs(`The network interface of "${machineName}"`, nic.tags);
      await putPools(clients, environment, nic, (pools) => [...pools, { id: poolId }]);
    },

    async leave(environment, machineName, poolId) {
      const nic = await absentAsUndefined(`reading the network interface of ${machineName}`, () =>
        machineNic(clients, environment, machineName),
      );
      if (nic === undefined || !isIn(nic, poolId)) return;
      await putPools(clients, environment, nic, (pools) => pools.filter(({ id }) => !sameId(id, poolId)));
    },
  };
}

type Pools = { id?: string }[];

function poolsOf(nic: NetworkInterface): Pools {
  return nic.ipConfigurations?.[0]?.loadBalancerBackendAddressPools ?? [];
}

function isIn(nic: NetworkInterface, poolId: string): boolean {
  return poolsOf(nic).some(({ id }) => sameId(id, poolId));
}

async function putPools(
  clients: Clients,
  environment: Environment,
  nic: NetworkInterface,
  change: (pools: Pools) => Pools,
): Promise<void> {
  const [first, ...others] = nic.ipConfigurations ?? [];
  const loadBalancerBackendAddressPools = change(poolsOf(nic)).map(({ id }) => (id === undefined ? {} : { id }));
  await putNic(clients, environment, {
    ...nic,
    ipConfigurations: [{ ...first, loadBalancerBackendAddressPools }, ...others],
  });
}

function plain(entry: LoadBalancerBackendAddress, address: string): Omit<PoolAddress, 'place'> {
  const { name = '', virtualNetwork, subnet, adminState } = entry;
  return {
    ...{ name, address },
    ...(virtualNetwork?.id === undefined ? {} : { virtualNetworkId: virtualNetwork.id }),
    ...(subnet?.id === undefined ? {} : { subnetId: subnet.id }),
    ...(adminState === undefined ? {} : { adminState }),
  };
}

function asWritten({ name, address, virtualNetworkId, subnetId, adminState }: Omit<PoolAddress, 'place'>) {
  return {
    ...{ name, ipAddress: address },
    ...(virtualNetworkId === undefined ? {} : { virtualNetwork: { id: virtualNetworkId } }),
    ...(subnetId === undefined ? {} : { subnet: { id: subnetId } }),
    ...(adminState === undefined ? {} : { adminState }),
  };
}
