// Who leaves a group alone is decided in the wave's document, with If-Match: of two who ask at one instant, the second
// one's answer counts with the first one gone.
import { whyTheyMustStay } from '../policy/membership.ts';
import type { Store } from './contract.ts';
import type { WaveDocument } from './documents.ts';

/** Who has been let go in the wave's current attempt: their way back may not have begun yet. */
export function letGoIn({ leaving, attempt }: Pick<WaveDocument, 'leaving' | 'attempt'>): string[] {
  return leaving?.attempt === attempt ? leaving.workloadIds : [];
}

/** Lets these leave their groups, and says why not where they must stay. Who has been let go may ask again. */
export async function letLeave(
  store: Pick<Store, 'waves' | 'workloads'>,
  waveId: string,
  workloadIds: readonly string[],
): Promise<string | undefined> {
  const workloads = await store.workloads.list(waveId);
  let why: string | undefined;
  await store.waves.change(waveId, (wave) => {
    const { attempt } = wave;
    const gone = letGoIn(wave);
    const asking = workloadIds.filter((id) => !gone.includes(id));
    const groupIds = new Set(
      workloads.filter((each) => asking.includes(each.workloadId)).map((each) => each.plan.groupId),
    );
    why = [...groupIds]
      .map((groupId) => {
        const members = workloads
          .filter(({ plan }) => plan.groupId === groupId)
          .map(({ workloadId, plan, state }) => ({
            workloadId,
            dependsOn: plan.dependsOn,
            left: state.left?.attempt === attempt || gone.includes(workloadId),
          }));
        return whyTheyMustStay(members, asking);
      })
      .find((reason) => reason !== undefined);
    if (why !== undefined || asking.length === 0) return undefined;
    return { ...wave, leaving: { attempt, workloadIds: [...gone, ...asking] } };
  });
  return why;
}
