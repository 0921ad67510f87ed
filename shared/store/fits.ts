// One judge for every question whether there is time: before a batch begins, before each workload's services stop, before
// its source goes off, and before traffic moves.
import { terminal } from '../errors.ts';
import { Phase } from '../lifecycle/phases.ts';
import type { StoredPlan } from '../model/plan.ts';
import type { Opening } from '../model/window.ts';
import { mayLeadBack } from '../policy/commit.ts';
import type { Part } from '../policy/fit/left.ts';
import { mayStart } from '../policy/openings.ts';
import { type GroupFit, judgeGroup } from '../policy/windowFit.ts';
import type { Store } from './contract.ts';
import type { WorkloadDocument } from './documents.ts';
import { waveOf, workloadOf } from './plans.ts';

interface Asked {
  waveId: string;
  workloadIds: readonly string[];
}

/** Phases of a workload that has been told to cut over and is not through. */
const underWay: ReadonlySet<Phase> = new Set([
  Phase.cutoverQueued,
  Phase.stoppingServices,
  Phase.finalSync,
  Phase.sourceOff,
  Phase.launching,
]);

/** Predicts and judges the cutover of some workloads of one group, before any of them has begun. */
export async function judgeBatch(store: Store, { waveId, workloadIds }: Asked, now: string): Promise<GroupFit> {
  const { plan, tiers, members } = await groupOf(store, waveId, workloadIds);
  const batch = members.filter((one) => workloadIds.includes(one.workloadId));
  return judgeGroup(tiers, batch, plan.windows, now);
}

export interface MayBegin {
  plan: StoredPlan;
  fit: GroupFit;
  /** Why they may not begin now; if they may, the latest moment at which they still may. */
  late?: string;
  notAfter?: string;
  /** Where they may not begin now: the next window in which what is left would fit. */
  next: Opening | null;
  /** Those who are about to begin, and whoever of the group is under way as well. */
  concerned: WorkloadDocument[];
  memberOf(workloadId: string): WorkloadDocument;
}

/**
 * Judges what is left of a cutover that is under way when some workloads are about to begin a part of it: whoever of their
 * group is under way as well counts, who stays behind costs no time.
 */
export async function judgeBeginning(
  store: Store,
  { waveId, workloadIds, part }: Asked & { part: Part },
  now: string,
): Promise<MayBegin> {
  const { plan, tiers, members } = await groupOf(store, waveId, workloadIds);
  const concerned = members.filter(
    ({ workloadId, state }) => workloadIds.includes(workloadId) || underWay.has(state.remembered ?? state.phase),
  );
  // Before traffic moves the way back is free, and the answer to every failure.
  const oneWay = part === 'traffic' && !mayLeadBack(plan);
  const fit = judgeGroup(tiers, concerned, plan.windows, now, { part, workloadIds, oneWay });
  const memberOf = (workloadId: string): WorkloadDocument =>
    members.find((one) => one.workloadId === workloadId) ?? missing(waveId, workloadId);
  const start = mayStart(now, plan.windows);
  const fits = fit.verdict === 'fits';
  const common = { plan, fit, concerned, memberOf, next: !start.may && fits ? fit.window : fit.nextWindow };
  if (!start.may) return { ...common, late: start.reason };
  if (!fits) return { ...common, late: fit.reasons.join('; ') };
  return fit.latestSafeStart === null ? common : { ...common, notAfter: fit.latestSafeStart };
}

/** The group of these workloads, with its members as they are now: each is read once, whoever is asked about. */
async function groupOf(
  store: Store,
  waveId: string,
  workloadIds: readonly string[],
): Promise<{ plan: StoredPlan; tiers: string[][]; members: WorkloadDocument[] }> {
  const { plan } = await waveOf(store, waveId);
  const [workloadId = ''] = workloadIds;
  const { groupId } = (await workloadOf(store, { waveId, workloadId })).plan;
  const { tiers } = await store.plans.group(plan, groupId);
  return { plan, tiers, members: await store.workloads.ofGroup(waveId, groupId) };
}

function missing(waveId: string, workloadId: string): never {
  throw terminal('notFound', `No group of wave ${waveId} has a workload ${workloadId}.`, 'Check its id.');
}
