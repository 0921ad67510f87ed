// The sentences in which people are told what is left to do by hand, and the work that each one asks for.
import type { Environment } from '../../shared/model/environment.ts';
import { applianceIds, stagingBlobName, type WorkloadPlan } from '../../shared/model/plan.ts';
import type { WaveDocument } from '../../shared/store/documents.ts';
import { resourceNames } from '../../shared/store/plans.ts';
import { erin } from '../world/persons.ts';
import type { World } from '../world/world.ts';

/** Who does it, where, and for whom: all of the wave, and those who are asked about. */
export interface Hands {
  world: World;
  plans: readonly WorkloadPlan[];
  asked: readonly WorkloadPlan[];
  planOf(workloadId: string): WorkloadPlan;
}

/** What each sentence asks for: its names, in order, and the work. */
export const sentences: [says: RegExp, does: (hands: Hands, ...names: string[]) => unknown][] = [
  [
    /^start the service (\S+) on the source of (\S+)$/,
    ({ world, planOf }, service, id) => world.hosts.setService(planOf(id).source.id, service, 'running'),
  ],
  [
    /^let the service (\S+) start automatically on the source of (\S+)$/,
    ({ world, planOf }, service, id) => world.hosts.setStartMode(planOf(id).source.id, service, 'automatic'),
  ],
  [
    /^connect the network of the source of (\S+)$/,
    ({ world, planOf }, id) => world.hosts.machineHost(planOf(id).source.id).setNic(true),
  ],
  [
    /^power the source of (\S+) on$/,
    ({ world, planOf }, id) => world.hosts.machineHost(planOf(id).source.id).powerOn(),
  ],
  [
    /^stop the (?:initial sync|final sync|deltas) of (\S+) at its appliance$/,
    ({ world, planOf }, id) => world.appliances.stopSync(planOf(id)),
  ],
  [
    /^delete the test clone of (\S+): machine, network interface and disks$/,
    ({ world, planOf }, id) =>
      removeMachine(world, resourceNames.testMachine(planOf(id).target.name), disksOf(planOf(id), 'testDisk')),
  ],
  [
    /^delete the target of (\S+): machine, network interface and disks$/,
    ({ world, planOf }, id) => removeMachine(world, planOf(id).target.name, disksOf(planOf(id), 'disk')),
  ],
  [
    /^delete the isolation security group of (\S+)$/,
    ({ world, plans }, group) => {
      for (const name of world.azure.names())
        if (name.startsWith('securityGroup/') && name.endsWith(`-${plans[0]?.waveId}-${group}`))
          world.azure.removeByHand(name);
    },
  ],
  [/^remove the DNS record (\S+) (\S+) from \S+$/, ({ world }, type, record) => world.azure.removeRecord(type, record)],
  [
    /^put the DNS record (\S+) (\S+) in \S+ back to (.+) \(TTL (\d+) s\)$/,
    ({ world }, type, record, values, ttl) =>
      world.azure.setRecord(type, record, { ttlSeconds: Number(ttl), values: values.split(', ') }),
  ],
  [
    /^put (\S+) \("(.+)"\) back into the backend pool (\S+)$/,
    ({ world }, address, name, pool) => world.azure.pools.azure.putBack(pool, { place: 0, name, address }),
  ],
  [
    /^take the target’s network interface out of the backend pool (\S+)$/,
    async ({ world, asked }, pool) => {
      for (const { environmentId, target } of asked)
        await world.azure.pools.azure.leave(environmentOf(world, environmentId), target.name, pool);
    },
  ],
  [
    /^tell (\S+) that "(.+)" was taken back$/,
    ({ world, asked }, host, action) => {
      for (const { workloadId } of asked) world.webhooks.takeBackByHand(host, action, workloadId);
    },
  ],
  [
    /^run on (\S+) what takes "(.+)" back: .+$/,
    ({ world, plans }, machine, name) => {
      for (const { target, settings } of plans)
        for (const action of settings.cutover.actions)
          if (target.name === machine && action.kind === 'script' && action.name === name)
            world.azure.scripts.takeBackByHand(machine, action.run);
    },
  ],
  [
    /^delete the association of the machine (\S+) with the data collection rule (\S+)$/,
    ({ world }, machine, ruleId) => world.azure.monitored.removeByHand(machine, ruleId),
  ],
  [
    /^delete the staging blobs of (\S+) with their snapshots$/,
    async ({ world, planOf }, id) => {
      const plan = planOf(id);
      for (const disk of plan.source.disks)
        await world.azure.staging.removeBlob(environmentOf(world, plan.environmentId), stagingBlobName(plan, disk.id));
    },
  ],
  [
    /^let the DNS records of (\S+) live as long as (its plan says, and those of which it says nothing as long as )?before: its journal says how long$/,
    ({ world, planOf }, id, planned) => {
      const plan = planOf(id);
      const { ttl } = world.workload(plan.waveId, id)?.state ?? {};
      for (const { type, record, wasSeconds } of ttl?.records ?? []) letLive(world, type, record, wasSeconds);
      for (const action of planned === undefined ? [] : plan.settings.cutover.actions)
        if (action.kind === 'dns' && action.ttlSeconds !== undefined)
          letLive(world, action.type, action.record, action.ttlSeconds);
    },
  ],
  [
    /^remove the agent from the source of (\S+)$/,
    ({ world, planOf }, id) => world.hosts.machineHost(planOf(id).source.id).removeAgent(),
  ],
  [/^revoke the agent of (\S+)$/, ({ world, planOf }, id) => revoke(world, planOf(id).applianceId)],
  [/^revoke the appliance (\S+)$/, ({ world }, id) => revoke(world, id)],
  [/^remove the worker (\S+) and its snapshots from site \S+$/, ({ world }, id) => world.hosts.removeWorker(id)],
  [
    /^delete the machine (\S+), its disk and its network interface$/,
    ({ world }, name) => removeMachine(world, name, []),
  ],
  [/^remove the assignment of .+ to \S+ on \S+$/, ({ world }) => world.azure.revokeRoles()],
  [/^remove the assignments of Landfall’s own roles in the environment \S+$/, ({ world }) => world.azure.revokeRoles()],
  // Nobody could say what it was before: it is undone as far as it is there.
  [
    /^undo (?:sourceOnboarding|initialSync|deltaSyncs) of (\S+)$/,
    ({ world, planOf }, id) => world.appliances.stopSync(planOf(id)),
  ],
  [/^undo targetIam$/, ({ world }) => world.azure.revokeRoles()],
  [
    /^undo migrationAppliance$/,
    async ({ world, plans }) => {
      const [environmentId = ''] = plans.map((plan) => plan.environmentId);
      removeMachine(world, `lf-${applianceIds.target(environmentId)}`, []);
      await revoke(world, applianceIds.target(environmentId));
    },
  ],
  [
    /^undo sourceWorker$/,
    async ({ world }) => {
      for (const worker of world.hosts.workers) {
        await world.hosts.removeWorker(worker);
        await revoke(world, worker);
      }
    },
  ],
  [
    /^undo osAgent of (\S+)$/,
    async ({ world, planOf }, id) => {
      await world.hosts.machineHost(planOf(id).source.id).removeAgent();
      await revoke(world, planOf(id).applianceId);
    },
  ],
  [
    /^take the rights of the agents whose workloads have committed: revoke them/,
    async ({ world, plans }) => {
      for (const { waveId, workloadId, method, applianceId } of plans)
        if (method === 'agent' && world.workload(waveId, workloadId)?.state.phase === 'committed')
          await revoke(world, applianceId);
    },
  ],
  [
    /^remove the workers that earlier waves have left, and revoke them$/,
    async ({ world, plans }) => {
      for (const worker of [...world.hosts.workers].filter((id) =>
        plans.every(({ applianceId }) => applianceId !== id),
      )) {
        await world.hosts.removeWorker(worker);
        await revoke(world, worker);
      }
    },
  ],
];

function disksOf({ target, source }: WorkloadPlan, kind: 'disk' | 'testDisk'): string[] {
  return source.disks.map(({ id }) => resourceNames[kind](target.name, id));
}

function removeMachine({ azure }: World, name: string, disks: readonly string[]): void {
  for (const key of [`machine/${name}`, `nic/${name}-nic`, ...disks.map((disk) => `disk/${disk}`)])
    azure.removeByHand(key);
}

function letLive({ azure }: World, type: string, record: string, ttlSeconds: number): void {
  const is = azure.records.get(`${type} ${record}`);
  if (is !== undefined) azure.setRecord(type, record, { ...is, ttlSeconds });
}

async function revoke(world: World, id: string): Promise<void> {
  await world.people.try('appliancesRevoke', { id }, {}, erin);
}

function environmentOf(world: World, environmentId: string): Environment {
  const wave = world.documents<WaveDocument>('wave').find(({ plan }) => plan.environment.id === environmentId);
  if (wave === undefined) throw new Error(`no wave in ${environmentId}`);
  return wave.plan.environment;
}
