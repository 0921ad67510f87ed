// Invariant 1: at most one of source and target may accept business writes.
import type { WorkloadPlan } from '../../shared/model/plan.ts';
import type { ModelledAzure } from '../world/azure.ts';
import type { ModelledHosts } from '../world/hosts.ts';

/** One finding per workload whose source and target both serve: a running service on a connected source, a target outside its quarantine. */
export function oneSideServes(plans: Iterable<WorkloadPlan>, azure: ModelledAzure, hosts: ModelledHosts): string[] {
  const findings: string[] = [];
  for (const { source, target, settings } of plans) {
    const machine = azure.machine(target.name);
    if (machine === undefined || machine.securityGroupId === settings.placement.quarantineNetworkSecurityGroupId)
      continue;
    const { power, nicConnected, services } = hosts.machine(source.id);
    if (power === 'on' && nicConnected && [...services.values()].includes('running'))
      findings.push(`${source.id}: source and target both serve`);
  }
  return findings;
}
