// Which plans a thing of the world belongs to.
import { stagingBlobName, type WavePlan, type WorkloadPlan } from '../../shared/model/plan.ts';
import { resourceNames } from '../../shared/store/plans.ts';
import type { Change } from './change.ts';

export class PlanIndex {
  readonly #waves = new Map<string, WavePlan>();
  #plans: Map<string, WorkloadPlan[]> | undefined = new Map();

  /** Takes a wave's plan in; a newer version takes the place of the one before. Whether it was new. */
  know(plan: WavePlan): boolean {
    if (this.#waves.get(plan.waveId)?.hash === plan.hash) return false;
    this.#waves.delete(plan.waveId);
    this.#waves.set(plan.waveId, plan);
    this.#plans = undefined;
    return true;
  }

  of(kind: Change['kind'], id: string): readonly WorkloadPlan[] {
    this.#plans ??= this.#indexed();
    return this.#plans.get(`${kind === 'sync' ? 'source' : kind} ${id}`) ?? [];
  }

  all(): readonly WorkloadPlan[] {
    return [...this.#waves.values()].flatMap(({ workloads }) => workloads);
  }

  #indexed(): Map<string, WorkloadPlan[]> {
    const index = new Map<string, WorkloadPlan[]>();
    for (const plan of this.all())
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
