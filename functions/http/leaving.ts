// Whether single workloads may be rolled back alone, so that their groups go on without them.
import type { Phase } from '../../shared/lifecycle/phases.ts';
import { whyTheyMustStay } from '../../shared/policy/membership.ts';
import type { WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import { refuse } from './problem.ts';

export const cutoverBegun: ReadonlySet<string | undefined> = new Set(['cuttingOver', 'validating', 'rollingBack']);
/** From here on what is done for one workload is done for the group. */
export const asOne: ReadonlySet<Phase> = new Set<Phase>(['launching', 'trafficMoved', 'validating', 'committed']);

/**
 * Throws `conflict` unless these may leave: before their group's cutover has begun, or, where the group goes on without
 * who fails, until its targets launch; and never if nobody, or somebody who depends on them, would be left.
 */
export function checkLeaving(
  wave: WaveDocument,
  workloads: readonly WorkloadDocument[],
  leaving: readonly string[],
): void {
  for (const { id, onFailure } of wave.plan.groups) {
    const members = workloads.filter(({ plan }) => plan.groupId === id);
    const those = leaving.filter((each) => members.some(({ workloadId }) => workloadId === each));
    if (those.length === 0) continue;
    const standing = members.map(({ workloadId, plan, state }) => ({
      workloadId,
      dependsOn: plan.dependsOn,
      left: state.left?.attempt === wave.attempt,
    }));
    const gone = standing.filter(({ workloadId, left }) => left && those.includes(workloadId));
    if (gone.length > 0)
      throw refuse('conflict', `${gone.map((each) => each.workloadId).join(', ')} has left ${id} already.`);
    const begun = cutoverBegun.has(wave.groups[id]?.status);
    const launched = members.some(({ state }) => asOne.has(state.remembered ?? state.phase));
    const why =
      begun && (onFailure !== 'goOn' || launched) ? `the cutover of ${id} has begun` : whyTheyMustStay(standing, those);
    if (why !== undefined)
      throw refuse(
        'conflict',
        `${those.join(', ')} cannot be rolled back alone: ${why}. Roll back the group instead ("group": "${id}").`,
      );
  }
}
