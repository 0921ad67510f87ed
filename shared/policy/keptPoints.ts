// What a workload that has been replicated must keep, whatever its wave becomes.
import type { WorkloadPlan } from '../model/plan.ts';
import type { WaveDefinition } from '../model/wave.ts';
import type { WorkloadDocument } from '../store/documents.ts';
import type { Problem } from './problems.ts';

/** Points are of one source's disks, in one environment's storage: a workload that has some keeps all three. */
export function keptPoints(
  definition: WaveDefinition,
  planned: readonly WorkloadPlan[],
  stored: readonly Pick<WorkloadDocument, 'workloadId' | 'plan' | 'state'>[],
): Problem[] {
  const replicated = new Map(
    stored.filter(({ state }) => state.points.length > 0).map((workload) => [workload.workloadId, workload.plan]),
  );
  return planned.flatMap((next) => {
    const before = replicated.get(next.workloadId);
    if (before === undefined || layoutOf(before) === layoutOf(next)) return [];
    const g = definition.groups.findIndex(({ id }) => id === next.groupId);
    const w = definition.groups[g]?.workloads.findIndex(({ id }) => id === next.workloadId) ?? -1;
    return [
      {
        path: `groups[${g}].workloads[${w}].source`,
        value: next.source.id,
        message: `"${next.workloadId}" has points of the disks of "${before.source.id}" in environment "${before.environmentId}", which do not fit what is planned now`,
        fix: 'give it another workload id: it is then replicated anew',
      },
    ];
  });
}

function layoutOf({ environmentId, source }: WorkloadPlan): string {
  return JSON.stringify([environmentId, source.id, source.disks.map(({ id, sizeBytes }) => [id, sizeBytes])]);
}
