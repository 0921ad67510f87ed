// Which plans a thing of the world belongs to.
import { stagingBlobName, type WorkloadPlan } from '../../shared/model/plan.ts';
import type { WorkloadDocument } from '../../shared/store/documents.ts';
import { resourceNames } from '../../shared/store/plans.ts';
import type { Change } from './change.ts';

export class PlanIndex {
  readonly #known = new Map<string, WorkloadPlan>();
  #plans: Map<string, WorkloadPlan[]> | undefined = new Map();

  /** Takes in what a workload is planned with; a newer plan takes the place of the one before. Whether it was new. */
  know({ waveId, workloadId, plan, state }: WorkloadDocument): boolean {
    const key = `${waveId}/${workloadId}`;
    const gone = state.phase === 'unregistered';
    if (this.#known.get(key) === (gone ? undefined : plan)) return false;
    this.#known.delete(key);
    if (!gone) this.#known.set(key, plan);
    this.#plans = undefined;
    return !gone;
  }

  of(kind: Change['kind'], id: string): readonly WorkloadPlan[] {
    this.#plans ??= this.#indexed();
    return this.#plans.get(`${kind === 'sync' ? 'source' : kind} ${id}`) ?? [];
  }

  #indexed(): Map<string, WorkloadPlan[]> {
    const index = new Map<string, WorkloadPlan[]>();
    for (const plan of this.#known.values())
      for (const key of keysOf(plan)) {
        const same = index.get(key);
        if (same === undefined) index.set(key, [plan]);
        else same.push(plan);
      }
    return index;
  }
}

function keysOf(plan: WorkloadPlan): string[] {
  const { source, target } = plan;
  const diskIds = source.disks.map(({ id }) => id);
  return [
    `source ${source.id}`,
    `resource machine/${target.name}`,
    `resource nic/${target.name}-nic`,
    ...diskIds.map((id) => `resource disk/${resourceNames.disk(target.name, id)}`),
    ...diskIds.map((id) => `blob ${stagingBlobName(plan, id)}`),
  ];
}
