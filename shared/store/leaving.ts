// Who leaves a group alone is decided in one document of the wave, with If-Match: of two who ask at one instant, the
// second one's answer counts with the first one gone. What makes them leave is in the same write.
import { few } from '../few.ts';
import { whyTheyMustStay } from '../policy/membership.ts';
import type { LeavingOrder, Store } from './contract.ts';
import type { AttentionDocument, ControlDocument, LeavingDocument, WorkloadDocument } from './documents.ts';
import { waveOf, workloadsOf } from './plans.ts';

/** Who has been let go in an attempt: their way back may not have begun yet. */
export function letGoIn(leaving: LeavingDocument | undefined, attempt: number): string[] {
  return leaving?.attempt === attempt ? leaving.workloadIds : [];
}

/** Lets these leave their groups by an order, or says why they must stay. Who has been let go may ask again. */
export async function letLeave<T extends AttentionDocument | ControlDocument>(
  store: Pick<Store, 'waves' | 'plans' | 'workloads' | 'leaving'>,
  waveId: string,
  workloadIds: readonly string[],
  order: LeavingOrder<T>,
): Promise<{ ordered: T } | { refused: string }> {
  const { plan, attempt } = await waveOf(store, waveId);
  const concerned = new Set((await store.workloads.some(waveId, workloadIds)).map((each) => each.plan.groupId));
  const groups = await few([...concerned], async (groupId) =>
    workloadsOf(store, waveId, await store.plans.group(plan, groupId)),
  );
  let why: string | undefined;
  const letGo = (leaving: LeavingDocument | undefined): LeavingDocument | undefined => {
    const gone = letGoIn(leaving, attempt);
    const asking = workloadIds.filter((id) => !gone.includes(id));
    const isGone = ({ workloadId, state }: WorkloadDocument) =>
      state.left?.attempt === attempt || gone.includes(workloadId);
    why = groups
      .filter((members) => members.some(({ workloadId }) => asking.includes(workloadId)))
      .map((members) => whyTheyMustStay(standing(members, isGone), asking))
      .find((reason) => reason !== undefined);
    if (leaving !== undefined && leaving.attempt > attempt) why = 'the wave was started again';
    if (why !== undefined) return undefined;
    if (asking.length === 0) return leaving;
    return { id: 'leaving', kind: 'leaving', waveId, attempt, workloadIds: [...gone, ...asking] };
  };
  const ordered = await store.leaving.change(waveId, letGo, order);
  return ordered === undefined ? { refused: why ?? 'nobody was named' } : { ordered };
}

/** Members of a group as the rule about leaving sees them. */
export function standing(
  members: readonly WorkloadDocument[],
  isGone: (member: WorkloadDocument) => boolean,
): Parameters<typeof whyTheyMustStay>[0] {
  return members.map((member) => ({
    workloadId: member.workloadId,
    dependsOn: member.plan.dependsOn,
    left: isGone(member),
  }));
}
