// What other waves wait for in this one, and would wait for in vain.
import type { WavePlan } from '../model/plan.ts';
import type { Problem } from './problems.ts';
import { nameOf, type PlannedShape } from './units.ts';

/** Units and workloads that groups of other waves wait for and that this plan does not have. */
export function neededElsewhere(plan: WavePlan, others: readonly PlannedShape[]): Problem[] {
  const { waveId } = plan;
  return others.flatMap((other) =>
    other.groups.flatMap((group) =>
      group.needs
        .filter((need) => need.waveId === waveId)
        .flatMap(({ groupId, pairs }) => {
          const waits = `wave "${other.waveId}", group "${group.id}", waits for`;
          const fix = `keep it, or change wave "${other.waveId}" first`;
          if (groupId !== undefined && plan.groups.every(({ id }) => id !== groupId))
            return [{ path: 'groups', value: groupId, message: `${waits} group "${groupId}", which is left out`, fix }];
          const offered = plan.workloads.filter((each) => groupId === undefined || each.groupId === groupId);
          return (pairs ?? [])
            .filter(({ needs }) => offered.every(({ workloadId }) => workloadId !== needs))
            .map(({ needs }) => ({
              path: 'groups',
              value: needs,
              message: `${waits} workload "${needs}", which is not in ${nameOf({ waveId, groupId })}`,
              fix,
            }));
        }),
    ),
  );
}
