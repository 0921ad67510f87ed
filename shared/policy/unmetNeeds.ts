// What a group still waits for, and what will not come any more in this attempt.
import type { Phase } from '../lifecycle/phases.ts';
import type { Need } from '../model/dependency.ts';
import { endedGroups, type GroupStatus } from '../store/documents.ts';

/** How a wave stands, as far as somebody waits for it. */
export interface Standing {
  groupIds: readonly string[];
  groups: Readonly<Record<string, Pick<GroupStatus, 'status'>>>;
  /** The workloads that are waited for. */
  workloads: ReadonlyMap<string, { phase: Phase; groupId: string }>;
}

export interface Unmet {
  /** Such as `group data` or `workload db of wave w1`. */
  waitsFor: string[];
  /** Why waiting is in vain: something in the same wave has ended otherwise. Other waves may start again. */
  ended: string | undefined;
}

/** What stands between these workloads of a group and their cutover. */
export function unmetNeeds(
  ownId: string,
  needs: readonly Need[],
  workloadIds: readonly string[],
  standings: ReadonlyMap<string, Standing>,
): Unmet {
  const unmet = needs.flatMap((need) => partsOf(need, workloadIds, ownId, standings.get(need.waveId)));
  const ended = unmet.find((part) => part.ended);
  return {
    waitsFor: [...new Set(unmet.map(({ name }) => name))],
    ended: ended && `${ended.name}, which it depends on, was not committed`,
  };
}

interface Part {
  name: string;
  ended: boolean;
}

function partsOf(need: Need, workloadIds: readonly string[], ownId: string, standing: Standing | undefined): Part[] {
  const { waveId, groupId, pairs } = need;
  const own = waveId === ownId;
  const of = own ? '' : ` of wave ${waveId}`;
  const statusOf = (id: string) => standing?.groups[id]?.status;
  const over = (id: string | undefined): boolean =>
    own && id !== undefined && statusOf(id) !== 'committed' && endedGroups.has(statusOf(id));
  if (pairs !== undefined)
    return pairs
      .filter(
        ({ workload, needs }) =>
          workloadIds.includes(workload) && standing?.workloads.get(needs)?.phase !== 'committed',
      )
      .map(({ needs }) => {
        const home = standing?.workloads.get(needs)?.groupId;
        const left = own && home !== undefined && statusOf(home) === 'committed';
        return { name: `workload ${needs}${of}`, ended: left || over(home) };
      });
  if (groupId !== undefined)
    return statusOf(groupId) === 'committed' ? [] : [{ name: `group ${groupId}${of}`, ended: over(groupId) }];
  const committed = standing?.groupIds.every((id) => statusOf(id) === 'committed') ?? false;
  return committed ? [] : [{ name: `wave ${waveId}`, ended: false }];
}
