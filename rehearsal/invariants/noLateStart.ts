// Invariant 8, with a judge of its own: what is left takes at the very least what its steps wait for by themselves. The
// product reckons with more, so it is never later than this; one that forgets what is left, or the way back, is. What was
// begun in time may end later: what happens then is the policy's matter.
import { durationMs } from '../../shared/policy/duration.ts';
import type { AttentionDocument, EventDocument, WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import { askedToShutDown } from '../world/hosts.ts';
import type { Invariant, Sight } from './invariant.ts';

type Start = 'services stop' | 'source goes off' | 'traffic moves';
/** Which step asks people whether to begin all the same; before services stop nobody is asked. */
const asks: Partial<Record<Start, string>> = { 'source goes off': 'finalDelta', 'traffic moves': 'postCutover' };

const minute = 60_000;
/** A target is removed, a source powered on and its services started: the steps wait so long for it. */
const least = { removal: 5 * minute, powerOn: 10 * minute, unmeasuredLaunch: minute };

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
      if (event.type === 'landfall.downtime.began')
        return late(sight, waveId, workloadId, 'services stop', event.data.at);
      const moves = event.type === 'landfall.workload.phaseEntered' && event.data.phase === 'trafficMoved';
      return moves ? late(sight, waveId, workloadId, 'traffic moves', event.time) : [];
    },
    changed: ({ kind, id, what }) => {
      const plan = kind === 'source' && what.endsWith(askedToShutDown) ? sight.plansOf(kind, id).at(-1) : undefined;
      return plan === undefined ? [] : late(sight, plan.waveId, plan.workloadId, 'source goes off', sight.now());
    },
  }),
};

function late({ documents }: Sight, waveId: string, workloadId: string, start: Start, at: string): string[] {
  const wave = documents.wave(waveId);
  const now = Date.parse(at);
  const open = wave.plan.windows.find(({ opens, closes }) => Date.parse(opens) <= now && now < Date.parse(closes));
  const group = documents.group(waveId, documents.workload(waveId, workloadId)?.plan.groupId ?? '');
  const tiers = (group?.tiers ?? []).map((tier) =>
    tier
      .flatMap((id) => documents.workload(waveId, id) ?? [])
      .filter((one) => one.workloadId === workloadId || underWay.has(one.state.remembered ?? one.state.phase)),
  );
  const leftMs = leastLeft(
    wave,
    tiers.filter(({ length }) => length > 0),
    workloadId,
    start,
  );
  if (open !== undefined && now + leftMs <= Date.parse(open.closes)) return [];
  const asked = documents
    .documents<AttentionDocument>('attention')
    .filter((each) => each.waveId === waveId && each.step === asks[start] && each.workloadIds.includes(workloadId));
  if (asked.some(({ failure, answer }) => failure.code === 'windowClosed' && answer?.choice === 'retry')) return [];
  if (open === undefined) return [`${workloadId}: ${start} at ${at}, outside every window`];
  return [
    `${workloadId}: ${start} at ${at}, which leaves at least ${Math.round(leftMs / minute)} minutes to go, and the window closes at ${open.closes}`,
  ];
}

/** What is left of the cutover and then of its way back, if nothing takes longer than it must. */
function leastLeft(
  { plan: { commitPolicy, gates } }: WaveDocument,
  tiers: readonly WorkloadDocument[][],
  workloadId: string,
  start: Start,
): number {
  const back = least.removal + tiers.length * least.powerOn;
  if (start === 'traffic moves')
    return gates.commit.required || Object.values(commitPolicy).includes('rollback') ? back : 0;
  const own = tiers.flat().find((one) => one.workloadId === workloadId);
  const launches = tiers.map((tier) => Math.max(...tier.map(launchMs)));
  return (
    (own === undefined ? 0 : durationMs(own.plan.settings.cutover.shutdownWithin)) +
    launches.reduce((sum, each) => sum + each, 0) +
    back
  );
}

function launchMs({ state: { launched } }: WorkloadDocument): number {
  return launched === undefined ? least.unmeasuredLaunch : (launched.importSeconds + launched.bootSeconds) * 1000;
}
