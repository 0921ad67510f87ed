// What a workload's sync takes, and of which budgets.
import type { Environment } from '../model/environment.ts';
import type { WorkloadPlan } from '../model/plan.ts';
import type { Claim } from './budgets.ts';

/**
 * What `Environment.budgets` leaves out: Azure Migrate's limits for agentless VMware replication.
 * https://learn.microsoft.com/azure/migrate/concepts-vmware-agentless-migration and …/migrate-support-matrix-vmware-migration
 */
const published = {
  applianceDisks: 52,
  hypervisorDisks: 8,
  datastoreSnapshots: 15,
  siteSyncs: 300,
  subscriptionSyncs: 500,
};

/** The claims of one sync of a workload, the same for every kind. An environment that is gone has the published limits. */
export function claimsOf(
  { applianceId, source }: Pick<WorkloadPlan, 'applianceId' | 'source'>,
  environment: Pick<Environment, 'subscriptionId' | 'budgets' | 'links'> | undefined,
  applianceSyncs: number,
): Claim[] {
  const { subscriptionId = 'unknown', budgets, links = [] } = environment ?? {};
  const limit = (name: keyof typeof published) => budgets?.[name] ?? published[name];
  const { site, hypervisor, disks, snapshot } = source;
  const stores = Map.groupBy(snapshot === undefined ? [] : disks, ({ datastore }) => datastore);
  return [
    { budget: `syncs of appliance ${applianceId}`, units: 1, limit: budgets?.applianceSyncs ?? applianceSyncs },
    { budget: `disks of appliance ${applianceId}`, units: disks.length, limit: limit('applianceDisks') },
    ...(hypervisor === undefined
      ? []
      : [
          { budget: `disks of hypervisor ${site}/${hypervisor}`, units: disks.length, limit: limit('hypervisorDisks') },
        ]),
    ...[...stores].flatMap(([datastore, on]) =>
      datastore === undefined
        ? []
        : [
            {
              budget: `snapshots on datastore ${site}/${datastore}`,
              units: on.length,
              limit: limit('datastoreSnapshots'),
            },
          ],
    ),
    ...links.flatMap(({ id, sites, syncs }) =>
      sites.includes(site) && syncs !== undefined ? [{ budget: `syncs over link ${id}`, units: 1, limit: syncs }] : [],
    ),
    { budget: `syncs of site ${site}`, units: 1, limit: limit('siteSyncs') },
    { budget: `syncs into subscription ${subscriptionId}`, units: 1, limit: limit('subscriptionSyncs') },
  ];
}
