// Whether single workloads may be rolled back alone, so that their groups go on without them.
import type { Phase } from '../../shared/lifecycle/phases.ts';
import { whyTheyMustStay } from '../../shared/policy/membership.ts';
import type { LeavingOrder, Store } from '../../shared/store/contract.ts';
import type {
  AttentionDocument,
  ControlDocument,
  LeavingDocument,
  WaveDocument,
  WorkloadDocument,
} from '../../shared/store/documents.ts';
import { letGoIn, letLeave, standing } from '../../shared/store/leaving.ts';
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
  letGo: LeavingDocument | undefined,
  leaving: readonly string[],
): void {
  const gone = letGoIn(letGo, wave.attempt);
  for (const { id, onFailure } of wave.plan.groups) {
    const members = workloads.filter(({ plan }) => plan.groupId === id);
    const those = leaving.filter((each) => members.some(({ workloadId }) => workloadId === each));
    if (those.length === 0) continue;
    const hasLeft = ({ state }: WorkloadDocument) => state.left?.attempt === wave.attempt;
    const isGone = (member: WorkloadDocument) => hasLeft(member) || gone.includes(member.workloadId);
    const away = members.filter((member) => hasLeft(member) && those.includes(member.workloadId));
    if (away.length > 0)
      throw refuse('conflict', `${away.map((each) => each.workloadId).join(', ')} has left ${id} already.`);
    const begun = cutoverBegun.has(wave.groups[id]?.status);
    const launched = members.some(({ state }) => asOne.has(state.remembered ?? state.phase));
    const why =
      begun && (onFailure !== 'goOn' || launched)
        ? `the cutover of ${id} has begun`
        : whyTheyMustStay(standing(members, isGone), those);
    if (why !== undefined) throw mustStay(those, why, `the group instead ("group": "${id}")`);
  }
}

/** Lets them leave by an order, for good: throws `conflict` if others were let go meanwhile, and these must stay now. */
export async function letThemLeave<T extends AttentionDocument | ControlDocument>(
  store: Store,
  waveId: string,
  workloadIds: readonly string[],
  order: LeavingOrder<T>,
): Promise<T> {
  const said = await letLeave(store, waveId, workloadIds, order);
  if ('refused' in said) throw mustStay(workloadIds, said.refused, 'their group instead');
  return said.ordered;
}

function mustStay(workloadIds: readonly string[], why: string, instead: string): Error {
  return refuse('conflict', `${workloadIds.join(', ')} cannot be rolled back alone: ${why}. Roll back ${instead}.`);
}
