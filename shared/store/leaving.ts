// Who leaves a group alone is decided in one document of the wave, with If-Match: of two who ask at one instant, the
// second one's answer counts with the first one gone.
import { few } from '../few.ts';
import { whyTheyMustStay } from '../policy/membership.ts';
import type { Store } from './contract.ts';
import type { LeavingDocument, WorkloadDocument } from './documents.ts';
import { waveOf, workloadsOf } from './plans.ts';

/** Who has been let go in an attempt: their way back may not have begun yet. */
export function letGoIn(leaving: LeavingDocument | undefined, attempt: number): string[] {
  return leaving?.attempt === attempt ? leaving.workloadIds : [];
}

/** Lets these leave their groups, and says why not where they must stay. Who has been let go may ask again. */
export async function letLeave(
  store: Pick<Store, 'waves' | 'plans' | 'workloads' | 'leaving'>,
  waveId: string,
  workloadIds: readonly string[],
): Promise<string | undefined> {
  const { plan, attempt } = await waveOf(store, waveId);
  const concerned = new Set((await store.workloads.some(waveId, workloadIds)).map((each) => each.plan.groupId));
  const groups = await few([...concerned], async (groupId) =>
    workloadsOf(store, waveId, await store.plans.group(plan, groupId)),
  );
  let why: string | undefined;
  await store.leaving.change(waveId, (leaving) => {
    const gone = letGoIn(leaving, attempt);
    const asking = workloadIds.filter((id) => !gone.includes(id));
    const isGone = ({ workloadId, state }: WorkloadDocument) =>
      state.left?.attempt === attempt || gone.includes(workloadId);
    why = groups
      .filter((members) => members.some(({ workloadId }) => asking.includes(workloadId)))
      .map((members) => whyTheyMustStay(standing(members, isGone), asking))
      .find((reason) => reason !== undefined);
    if (leaving !== undefined && leaving.attempt > attempt) why = 'the wave was started again';
    if (why !== undefined || asking.length === 0) return undefined;
    return { id: 'leaving', kind: 'leaving', waveId, attempt, workloadIds: [...gone, ...asking] };
  });
  return why;
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
