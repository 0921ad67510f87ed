// Subnets and security groups: what the isolation proof reads, and the groups that quarantine a target.
import { absentAsUndefined, attempt } from './absent.ts';
import type { Clients } from './clients.ts';
import type { Azure } from './contract.ts';
import type { TesterFacts } from '../policy/isolation.ts';
import { finish } from './longOperations.ts';
import { machineNic, putNic } from './machineNic.ts';
import { ownershipTags, requireOurs, requireSameOwner } from './ownership.ts';
import { idIn, parseIdOf, sameId } from './resourceIds.ts';

const subnetType = 'Microsoft.Network/virtualNetworks/subnets';
const groupType = 'Microsoft.Network/networkSecurityGroups';

// The default rules allow the virtual network (65000) and outbound internet (65001); these come before them.
// https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules
const denyAll = (direction: 'Inbound' | 'Outbound') => ({
  name: `landfallDenyAll${direction}`,
  description: 'Landfall: nothing else passes while this group is in place.',
  priority: 4096,
  direction,
  access: 'Deny' as const,
  protocol: '*' as const,
  sourceAddressPrefix: '*',
  sourcePortRange: '*',
  destinationAddressPrefix: '*',
  destinationPortRange: '*',
});

const admits = ({ name, from }: TesterFacts, index: number) => ({
  ...denyAll('Inbound'),
  name: `landfallTester${index}`,
  description: `Landfall: ${name}, whom the plan lets test.`,
  priority: 100 + index,
  access: 'Allow' as const,
  sourceAddressPrefix: from,
});

export function createNetwork(clients: Clients): Azure['network'] {
  return {
    async describeSubnet(subnetId) {
      const { subscriptionId, resourceGroup, names } = parseIdOf(subnetType, subnetId);
      const [networkName = '', subnetName = ''] = names;
      const client = clients.network(subscriptionId);
      const subnet = await attempt(`reading subnet ${subnetName}`, () =>
        client.subnets.get(resourceGroup, networkName, subnetName),
      );
      const network = await attempt(`reading virtual network ${networkName}`, () =>
        client.virtualNetworks.get(resourceGroup, networkName),
      );
      const networkSecurityGroupId = subnet.networkSecurityGroup?.id;
      const routeTableId = subnet.routeTable?.id;
      return {
        id: subnet.id ?? subnetId,
        addressPrefix: subnet.addressPrefix ?? subnet.addressPrefixes?.[0] ?? '',
        virtualNetworkId: network.id ?? subnetId.replace(/\/subnets\/[^/]+$/i, ''),
        peerings: (network.virtualNetworkPeerings ?? []).flatMap(
          ({ remoteVirtualNetwork }) => remoteVirtualNetwork?.id ?? [],
        ),
        ...(networkSecurityGroupId === undefined ? {} : { networkSecurityGroupId }),
        ...(routeTableId === undefined ? {} : { routeTableId }),
      };
    },

    async securityRules(networkSecurityGroupId) {
      const { subscriptionId, resourceGroup, name } = parseIdOf(groupType, networkSecurityGroupId);
      const group = await attempt(`reading network security group ${name}`, () =>
        clients.network(subscriptionId).networkSecurityGroups.get(resourceGroup, name),
      );
      return [...(group.securityRules ?? []), ...(group.defaultSecurityRules ?? [])].map((rule) => ({
        name: rule.name ?? '',
        priority: rule.priority ?? 0,
        direction: rule.direction === 'Inbound' ? ('Inbound' as const) : ('Outbound' as const),
        access: rule.access === 'Allow' ? ('Allow' as const) : ('Deny' as const),
        protocol: rule.protocol ?? '*',
        source: listed(rule.sourceAddressPrefix, rule.sourceAddressPrefixes).join(','),
        destination: listed(rule.destinationAddressPrefix, rule.destinationAddressPrefixes).join(','),
        sourcePorts: listed(rule.sourcePortRange, rule.sourcePortRanges),
        destinationPorts: listed(rule.destinationPortRange, rule.destinationPortRanges),
      }));
    },

    async machineSecurityGroup(environment, machineName) {
      return (await machineNic(clients, environment, machineName)).networkSecurityGroup?.id;
    },

    async setMachineSecurityGroup(environment, machineName, networkSecurityGroupId) {
      const nic = await machineNic(clients, environment, machineName);
      requireOurs(`The network interface of "${machineName}"`, nic.tags);
      if (sameId(nic.networkSecurityGroup?.id, networkSecurityGroupId)) return;
      const { networkSecurityGroup: _, ...rest } = nic;
      await putNic(clients, environment, {
        ...rest,
        ...(networkSecurityGroupId === undefined ? {} : { networkSecurityGroup: { id: networkSecurityGroupId } }),
      });
    },

    async ensureDenyAll(environment, name, ownership, admitted = []) {
      const { subscriptionId, resourceGroup, region } = environment;
      const groups = clients.network(subscriptionId).networkSecurityGroups;
      const what = `The network security group "${name}"`;
      const found = await absentAsUndefined(`reading network security group ${name}`, () =>
        groups.get(resourceGroup, name),
      );
      if (found) requireSameOwner(what, found.tags, ownership);
      // Written every time: a rule that somebody added to it must not survive.
      const group = await finish(`making network security group ${name}`, () =>
        groups.createOrUpdate(
          resourceGroup,
          name,
          {
            location: region,
            tags: ownershipTags(ownership),
            securityRules: [...admitted.map(admits), denyAll('Inbound'), denyAll('Outbound')],
          },
          { updateIntervalInMs: 500 },
        ),
      );
      return group.id ?? idIn(environment, groupType, name);
    },

    async removeSecurityGroup({ subscriptionId, resourceGroup }, name) {
      const groups = clients.network(subscriptionId).networkSecurityGroups;
      const found = await absentAsUndefined(`reading network security group ${name}`, () =>
        groups.get(resourceGroup, name),
      );
      if (!found) return;
      requireOurs(`The network security group "${name}"`, found.tags);
      await absentAsUndefined(`deleting network security group ${name}`, () =>
        finish(`deleting network security group ${name}`, () =>
          groups.delete(resourceGroup, name, { updateIntervalInMs: 500 }),
        ),
      );
    },
  };
}

function listed(one: string | undefined, many: string[] | undefined): string[] {
  return many && many.length > 0 ? many : one === undefined ? [] : [one];
}
