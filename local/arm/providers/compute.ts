// Microsoft.Compute: disks, snapshots, machines, sizes, quota.
import type { Kernel, ResourceType } from '../contract.ts';
import { disksProvider } from './disks.ts';
import { skus, usages } from './quota.ts';
import { runCommands } from './runCommands.ts';
import { virtualMachines } from './virtualMachines.ts';

export function computeProvider(kernel: Kernel): ResourceType[] {
  const quota: ResourceType = { type: 'Microsoft.Compute/locations/usages', list: usages(kernel) };
  const sizes: ResourceType = { type: 'Microsoft.Compute/skus', list: skus(kernel) };
  return [...disksProvider(kernel), virtualMachines(kernel), runCommands(kernel), quota, sizes];
}
