import { actionOf } from '../actions/all.ts';
import type { WorkloadPlan } from '../model/plan.ts';
import type { Problem } from './problems.ts';

/**
 * A record set that several actions of a wave change: whichever is put back last would undo what the others have set.
 * `pathOf` says where a workload stands in the definition.
 */
export function contestedRecords(
  workloads: readonly Pick<WorkloadPlan, 'workloadId' | 'settings'>[],
  pathOf: (workloadId: string) => string,
): Problem[] {
  const owners = new Map<string, { workloadId: string; name: string }>();
  return workloads.flatMap(({ workloadId, settings }) =>
    settings.cutover.actions.flatMap((action): Problem[] => {
      const found = actionOf(action).record(action);
      if (found === undefined) return [];
      const { zoneId, record, type } = found;
      const key = `${zoneId}/${type}/${record}`.toLowerCase();
      const owner = owners.get(key);
      if (owner === undefined) {
        owners.set(key, { workloadId, name: action.name });
        return [];
      }
      return [
        {
          path: `${pathOf(workloadId)}.settings.cutover.actions`,
          value: action.name,
          message: `the record ${type} ${record} in ${zoneId} is changed by "${owner.name}" of ${owner.workloadId} as well`,
          fix: 'leave it to one of them: a record set of several values may be written as a whole',
        },
      ];
    }),
  );
}
