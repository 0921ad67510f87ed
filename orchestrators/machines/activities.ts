// Machines made of replicated points: a clone for UAT, the target at cutover. Same way, other names and networks.
import { z } from 'zod';
import type { Ownership } from '../../shared/azure/contract.ts';
import { defineActivity, Nothing } from '../../shared/durable/activity.ts';
import { terminal } from '../../shared/errors.ts';
import { stagingBlobName, type WorkloadPlan } from '../../shared/model/plan.ts';
import { cloneOwnership, environmentOf, ownership, resourceNames, workloadOf } from '../../shared/store/plans.ts';
import { asked, Progress } from '../azure/activities.ts';

export const Purpose = z.enum(['test', 'cutover']);
export type Purpose = z.infer<typeof Purpose>;
const Machine = z.strictObject({ waveId: z.string(), workloadId: z.string(), purpose: Purpose });

export function machineNameOf(plan: WorkloadPlan, purpose: Purpose): string {
  return purpose === 'test' ? resourceNames.testMachine(plan.target.name) : plan.target.name;
}

function diskNameOf(plan: WorkloadPlan, purpose: Purpose, diskId: string): string {
  return purpose === 'test'
    ? resourceNames.testDisk(plan.target.name, diskId)
    : resourceNames.disk(plan.target.name, diskId);
}

function ownershipOf({ waveId, workloadId, settings }: WorkloadPlan, purpose: Purpose, now: string): Ownership {
  if (purpose === 'cutover') return ownership(waveId, workloadId, now);
  return cloneOwnership(waveId, workloadId, now, settings.uat.expiresAfter);
}

export const listDisks = defineActivity({
  name: 'listDisks',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  output: z.array(z.string()),
  async effect({ store }, workload) {
    return (await workloadOf(store, workload)).plan.source.disks.map(({ id }) => id);
  },
});

const DiskOfPoint = z.strictObject({ diskId: z.string(), snapshot: z.string() });
export type DiskOfPoint = z.infer<typeof DiskOfPoint>;

/** The newest point, chosen once: deltas go on meanwhile, and all disks of a machine must be of one moment. */
export const choosePoint = defineActivity({
  name: 'choosePoint',
  input: Machine,
  output: z.array(DiskOfPoint),
  async effect({ store }, { purpose, ...workload }) {
    const { plan, state } = await workloadOf(store, workload);
    const point = state.points.at(-1);
    if (point === undefined)
      throw terminal('syncFailed', `${plan.workloadId} has no point.`, 'Wait for a completed sync, then retry.');
    if (purpose === 'cutover' && point.kind !== 'final')
      throw terminal(
        'syncFailed',
        `The newest point of ${plan.workloadId} is a ${point.kind} one, not the final.`,
        'Roll back and cut over again.',
      );
    return point.disks.map(({ diskId, snapshot }) => ({ diskId, snapshot }));
  },
});

/** Imports one disk of a chosen point. */
export const importDisk = defineActivity({
  name: 'importDisk',
  changes: 'a managed disk',
  input: Machine.extend({ disk: DiskOfPoint }),
  output: Progress,
  async effect({ store, azure, now }, { purpose, disk, ...workload }, { changed }) {
    const { plan } = await workloadOf(store, workload);
    const environment = await environmentOf(store, plan.environmentId);
    const { diskId, snapshot } = disk;
    const sourceUrl = await azure.staging.blobUrl(environment, stagingBlobName(plan, diskId), snapshot);
    const wanted = {
      name: diskNameOf(plan, purpose, diskId),
      sourceUrl,
      sku: plan.settings.sizing.diskSku,
      boot: plan.source.disks.find(({ id }) => id === diskId)?.boot ?? false,
    };
    const tags = ownershipOf(plan, purpose, now());
    const progress = await azure.compute.beginImportDisk(environment, wanted, tags);
    changed(asked('imported', `disk ${wanted.name} from ${snapshot}`, progress));
    return progress;
  },
});

export const createMachine = defineActivity({
  name: 'createMachine',
  changes: 'a machine',
  input: Machine.extend({ networkSecurityGroupId: z.string() }),
  output: Progress,
  async effect({ store, azure, now }, { purpose, networkSecurityGroupId, ...workload }, { changed }) {
    const { plan } = await workloadOf(store, workload);
    const environment = await environmentOf(store, plan.environmentId);
    const { disks } = plan.source;
    const boot = disks.find((disk) => disk.boot) ?? disks[0];
    if (boot === undefined)
      throw terminal('preflightFailed', `${plan.workloadId} has no disk.`, 'Correct the inventory.');
    const { subnetId, testSubnetId } = plan.settings.placement;
    const address =
      purpose === 'cutover' && plan.target.privateAddress !== undefined
        ? { privateAddress: plan.target.privateAddress }
        : {};
    const progress = await azure.compute.beginMachine(
      environment,
      {
        name: machineNameOf(plan, purpose),
        size: plan.settings.sizing.vmSize,
        osDisk: diskNameOf(plan, purpose, boot.id),
        dataDisks: disks.filter((disk) => disk !== boot).map(({ id }) => diskNameOf(plan, purpose, id)),
        subnetId: purpose === 'test' ? testSubnetId : subnetId,
        networkSecurityGroupId,
        ...address,
      },
      ownershipOf(plan, purpose, now()),
    );
    changed(asked('created', `machine ${machineNameOf(plan, purpose)} behind ${networkSecurityGroupId}`, progress));
    return progress;
  },
});

/** The security group that a target launches behind. */
export const quarantineGroupOf = defineActivity({
  name: 'quarantineGroupOf',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  output: z.string(),
  async effect({ store }, workload) {
    return (await workloadOf(store, workload)).plan.settings.placement.quarantineNetworkSecurityGroupId;
  },
});

/** Begins to delete one part of a machine; the parts go in this order: machine, then NIC and disks. */
export const deletePart = defineActivity({
  name: 'deletePart',
  changes: 'a part of a machine',
  input: Machine.extend({
    part: z.union([z.literal('machine'), z.literal('nic'), z.strictObject({ diskId: z.string() })]),
  }),
  output: Progress,
  async effect({ store, azure }, { purpose, part, ...workload }, { changed }) {
    const { plan } = await workloadOf(store, workload);
    const environment = await environmentOf(store, plan.environmentId);
    const machine = machineNameOf(plan, purpose);
    if (part === 'machine') {
      const progress = await azure.compute.beginDeleteMachine(environment, machine);
      changed(asked('deleted', `machine ${machine}`, progress));
      return progress;
    }
    if (part === 'nic') {
      const progress = await azure.compute.beginDeleteNic(environment, `${machine}-nic`);
      changed(asked('deleted', `network interface ${machine}-nic`, progress));
      return progress;
    }
    const disk = diskNameOf(plan, purpose, part.diskId);
    const progress = await azure.compute.beginDeleteDisk(environment, disk);
    changed(asked('deleted', `disk ${disk}`, progress));
    return progress;
  },
});

/** Puts the target behind its quarantine group; nothing to do when it does not exist. */
export const quarantineMachine = defineActivity({
  name: 'quarantineMachine',
  changes: 'the security group of a target',
  input: z.strictObject({ waveId: z.string(), workloadId: z.string() }),
  output: Nothing,
  async effect({ store, azure }, workload, { changed }) {
    const { plan } = await workloadOf(store, workload);
    const environment = await environmentOf(store, plan.environmentId);
    const { name } = plan.target;
    if ((await azure.compute.findMachine(environment, name)) === undefined) return null;
    const before = await azure.network.machineSecurityGroup(environment, name);
    const after = plan.settings.placement.quarantineNetworkSecurityGroupId;
    await azure.network.setMachineSecurityGroup(environment, name, after);
    changed({ verb: 'quarantined', object: `machine ${name}`, before: before ?? 'none', after });
    return null;
  },
});
