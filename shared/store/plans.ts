// Plans as activities read them: the store holds them whole, orchestrations only carry ids.

import type { Ownership } from '../azure/contract.ts';
import type { Capabilities } from '../capabilities.ts';
import { terminal } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import type { PlannedGroup, WorkloadPlan } from '../model/plan.ts';
import { durationMs, plusMs } from '../policy/duration.ts';
import type { WaveDocument, WorkloadDocument } from '../store/documents.ts';

type Store = Capabilities['store'];

export async function environmentOf(store: Store, environmentId: string): Promise<Environment> {
  const environment = await store.environments.get(environmentId);
  if (environment === undefined)
    throw terminal('notFound', `Environment ${environmentId} is not in the store.`, 'Put it back, then retry.');
  return environment;
}

export async function waveOf(store: Pick<Store, 'waves'>, waveId: string): Promise<WaveDocument> {
  const wave = await store.waves.get(waveId);
  if (wave === undefined)
    throw terminal('notFound', `Wave ${waveId} is not in the store.`, 'Check that nobody deleted it.');
  return wave;
}

export async function workloadOf(
  store: Store,
  { waveId, workloadId }: { waveId: string; workloadId: string },
): Promise<WorkloadDocument> {
  const workload = await store.workloads.get(waveId, workloadId);
  if (workload === undefined)
    throw terminal(
      'notFound',
      `Workload ${waveId}/${workloadId} is not in the store.`,
      'Check that nobody deleted it.',
    );
  return workload;
}

/** The workloads of a group, in its plan's order. */
export function workloadsOf(
  store: Pick<Store, 'workloads'>,
  waveId: string,
  { members }: PlannedGroup,
): Promise<WorkloadDocument[]> {
  return store.workloads.some(
    waveId,
    members.map(({ workloadId }) => workloadId),
  );
}

/** The workloads of one group of a wave: at most a hundred. */
export async function membersOf(
  store: Store,
  { waveId, plan }: WaveDocument,
  groupId: string,
): Promise<WorkloadDocument[]> {
  const { members } = await store.plans.group(plan, groupId);
  return store.workloads.some(
    waveId,
    members.map(({ workloadId }) => workloadId),
  );
}

/** The tags of what is made for a workload (invariant 3). */
export function ownership(waveId: string, workloadId: string, now: string, days = 30): Ownership {
  return {
    owner: 'landfall',
    wave: waveId,
    workload: workloadId,
    expires: new Date(Date.parse(now) + days * 86_400_000).toISOString(),
  };
}

/** The tags of what is made for UAT: nobody but the wave that runs keeps it longer than this (ISO 8601 duration). */
export function cloneOwnership(waveId: string, workloadId: string, now: string, keptFor: string): Ownership {
  return { ...ownership(waveId, workloadId, now), purpose: 'test', expires: plusMs(now, durationMs(keptFor)) };
}

/** Names of what is made for a workload: deterministic, so that a repeated step finds the same things. */
export const resourceNames = {
  appliance: (applianceId: string) => `lf-${applianceId}`,
  testMachine: (target: string) => `${target}-uat`,
  testDisk: (target: string, diskId: string) => `${target}-uat-${diskId}`,
  disk: (target: string, diskId: string) => `${target}-${diskId}`,
  isolationGroup: (waveId: string, groupId: string) => `lf-isolated-${waveId}-${groupId}`,
};

/** Every part of a workload's clone, by name. */
export function cloneParts({ target, source }: Pick<WorkloadPlan, 'target' | 'source'>): string[] {
  const machine = resourceNames.testMachine(target.name);
  return [machine, `${machine}-nic`, ...source.disks.map(({ id }) => resourceNames.testDisk(target.name, id))];
}
