// Invariant 8. The step with which a cutover begins is the stop of the services; without services, the final sync. What
// was begun in time may end later: what happens then is the policy's matter.
import { judgeGroup, judgeStop } from '../../shared/policy/windowFit.ts';
import type { EventDocument } from '../../shared/store/documents.ts';
import type { Invariant, Sight } from './invariant.ts';

const underWay: ReadonlySet<string> = new Set([
  'cutoverQueued',
  'stoppingServices',
  'finalSync',
  'sourceOff',
  'launching',
]);

export const noLateStart: Invariant = {
  number: 8,
  says: 'no irreversible step starts after the latest safe start',
  watch: (sight) => ({
    written: (document) => {
      if (document.kind !== 'event') return [];
      const { waveId, workloadId, event } = document as unknown as EventDocument;
      // Downtime begins when an attempt of step 9 goes ahead.
      return event.type === 'landfall.downtime.began' ? late(sight, waveId, workloadId, event.data.at) : [];
    },
  }),
};

function late({ documents }: Sight, waveId: string, workloadId: string, at: string): string[] {
  const { groups, windows } = documents.wave(waveId).plan;
  const began = Date.parse(at);
  const open = windows.find(({ opens, closes }) => Date.parse(opens) <= began && began < Date.parse(closes));
  if (open === undefined) return [`the cutover of ${workloadId} began at ${at}, outside every window`];
  const { tiers = [] } = groups.find((group) => group.tiers.flat().includes(workloadId)) ?? {};
  const members = tiers
    .flat()
    .flatMap((id) => documents.workload(waveId, id) ?? [])
    .filter((one) => one.workloadId === workloadId || underWay.has(one.state.remembered ?? one.state.phase));
  const { latestSafeStart } = judgeStop(judgeGroup(tiers, members, windows, at), workloadId, windows, at);
  return latestSafeStart !== null && began > Date.parse(latestSafeStart)
    ? [`the cutover of ${workloadId} began at ${at}; its latest safe start was ${latestSafeStart}`]
    : [];
}
