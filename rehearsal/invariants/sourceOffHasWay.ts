// Invariant 2. The way forward is a target with all its disks; the way back is a step 10 that was begun and not yet
// undone, in a wave that still runs to undo it.
import type { WorkloadPlan } from '../../shared/model/plan.ts';
import { resourceNames } from '../../shared/store/plans.ts';
import type { Invariant, Sight } from './invariant.ts';

export const sourceOffHasWay: Invariant = {
  number: 2,
  says: 'a source that is off has a bootable target or an armed undo',
  watch: (sight) => ({
    changed: ({ kind, id }) => sight.plansOf(kind, id).flatMap((plan) => stranded(sight, plan)),
    written: ({ kind, waveId, workloadId }) => {
      if (kind === 'state' && waveId !== undefined && workloadId !== undefined) {
        const workload = sight.documents.workload(waveId, workloadId);
        return workload === undefined ? [] : stranded(sight, workload.plan);
      }
      if (kind !== 'wave') return [];
      const wave = sight.documents.wave(waveId);
      if (!isOver(wave.status)) return [];
      return sight.documents.workloads(wave.waveId).flatMap(({ plan }) => stranded(sight, plan));
    },
  }),
};

const isOver = (status: string): boolean => status !== 'running' && status !== 'attention';

function stranded({ hosts, azure, documents, plansOf }: Sight, plan: WorkloadPlan): string[] {
  const { waveId, workloadId, source, target } = plan;
  const { power, nicConnected } = hosts.machine(source.id);
  // Of waves that want the same source one after the other, the last has it.
  if ((power === 'on' && nicConnected) || plansOf('source', source.id).at(-1) !== plan) return [];
  const machine = azure.machine(target.name);
  const disks = source.disks.map(({ id }) => `disk/${resourceNames.disk(target.name, id)}`);
  if (machine !== undefined && !machine.goes && disks.every((disk) => azure.resources.has(disk))) return [];
  const step = documents.workload(waveId, workloadId)?.state.steps['finalDelta'];
  const armed = step !== undefined && step.status !== 'undone' && !isOver(documents.wave(waveId).status);
  return armed ? [] : [`${source.id} is off, has no bootable target, and nothing is armed to bring it back`];
}
