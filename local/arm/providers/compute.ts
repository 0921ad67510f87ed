// Microsoft.Compute: disks, snapshots, machines, quota.
import type { Kernel, ResourceType } from '../contract.ts';
import { disksProvider } from './disks.ts';
import { usages } from './quota.ts';
import { virtualMachines } from './virtualMachines.ts';

export function computeProvider(kernel: Kernel): ResourceType[] {
  const quota: ResourceType = { type: 'Microsoft.Compute/locations/usages', list: usages(kernel) };
  return [...disksProvider(kernel), virtualMachines(kernel), quota];
}
