// A wave's critical path: which groups, one waiting for another, take longest to cut over, and by how much the others may
// be late. Waiting for people, for windows and for other waves is not in it.
import type { GroupPlan } from '../model/plan.ts';
import { criticalPath } from './criticalPath.ts';
import { type Facts, partsOf, type WorkloadParts } from './fit/downtime.ts';
import { inSequence } from './fit/estimate.ts';
import { pathOf } from './fit/path.ts';

export interface WavePath {
  /** Groups in order, each with the chain of its workloads that takes longest. */
  path: { groupId: string; workloadIds: string[]; seconds: number }[];
  seconds: number;
  groups: Record<string, { seconds: number; earliestStartSeconds: number; slackSeconds: number }>;
}

type Planned = Facts & { plan: { groupId: string; dependsOn: readonly string[] } };

/** The critical path of groups as they are predicted to go now; leave out those that have committed. */
export function wavePath(groups: readonly GroupPlan[], workloads: readonly Planned[], now: string): WavePath {
  const known = new Map(
    groups.map(({ id, tiers }) => {
      const members = workloads.filter(({ plan }) => plan.groupId === id);
      const parts = members.map((member) => partsOf(member, now));
      return [id, { members, parts, durationMs: pathOf(tiers, parts).total.expectedMs }] as const;
    }),
  );
  const durationMs = (id: string): number => known.get(id)?.durationMs ?? 0;
  const { path, lengthMs, of } = criticalPath(
    groups.map(({ id, dependsOn }) => ({ id, dependsOn, durationMs: durationMs(id) })),
  );
  return {
    path: path.map((groupId) => ({
      groupId,
      workloadIds: chainOf(known.get(groupId)),
      seconds: seconds(durationMs(groupId)),
    })),
    seconds: seconds(lengthMs),
    groups: Object.fromEntries(
      Object.entries(of).map(([id, { earliestStartMs, slackMs }]) => [
        id,
        {
          seconds: seconds(durationMs(id)),
          earliestStartSeconds: seconds(earliestStartMs),
          slackSeconds: seconds(slackMs),
        },
      ]),
    ),
  };
}

function chainOf(group: { members: readonly Planned[]; parts: readonly WorkloadParts[] } | undefined): string[] {
  const nodes = (group?.members ?? []).map(({ plan }, n) => {
    const own = group?.parts[n];
    return { id: plan.workloadId, dependsOn: plan.dependsOn, durationMs: own === undefined ? 0 : downtimeMs(own) };
  });
  return criticalPath(nodes).path;
}

function downtimeMs({ stopServices, finalDelta, shutdown, diskImport, boot }: WorkloadParts): number {
  return inSequence([stopServices, finalDelta, shutdown, diskImport, boot]).expectedMs;
}

/** To a tenth. */
function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
