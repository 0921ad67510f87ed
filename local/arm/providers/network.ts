// Microsoft.Network without DNS: virtual networks, security groups, network interfaces, load balancers.
import type { Kernel, ResourceType } from '../contract.ts';
import { defineSettle } from './common.ts';
import { loadBalancers } from './loadBalancers.ts';
import { networkInterfaces } from './networkInterfaces.ts';
import { securityGroups } from './securityGroups.ts';
import { virtualNetworks } from './virtualNetworks.ts';

export function networkProvider(kernel: Kernel): ResourceType[] {
  defineSettle(kernel);
  return [
    ...virtualNetworks(kernel),
    ...securityGroups(kernel),
    ...networkInterfaces(kernel),
    ...loadBalancers(kernel),
  ];
}
