// Everything that a live view of a wave needs, in one answer; of its workloads a page.
import { allSteps } from '../../orchestrators/itinerary.ts';
import type { Capabilities } from '../../shared/capabilities.ts';
import type { PlannedGroup } from '../../shared/model/plan.ts';
import { pauseOf } from '../../shared/policy/addressees.ts';
import { stagedIn } from '../../shared/policy/decommission.ts';
import { together, wayBackOf } from '../../shared/policy/wayBack.ts';
import type { WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';
import { judgeQueue } from '../../shared/sync/queue.ts';
import { versionOf } from '../../shared/versions/version.ts';
import { fitSummary, fitsOf } from './fitView.ts';
import { pathLeft } from './pathView.ts';
import { refuse } from './problem.ts';
import { workloadSummary } from './workloadSummary.ts';

/** Which workloads an answer shows, in the order of groups and tiers: at most so many, behind one. */
export interface Page {
  limit: number;
  after?: string | undefined;
}

export async function waveView(
  capabilities: Pick<Capabilities, 'store' | 'config' | 'now'>,
  wave: WaveDocument,
  page: Page,
) {
  const { store } = capabilities;
  const now = capabilities.now();
  const { waveId, plan } = wave;
  const [outlines, workloads, gates, attentions, orders] = await Promise.all([
    store.plans.groups(plan),
    store.workloads.list(waveId),
    store.gates.list(waveId),
    store.attentions.list(waveId),
    store.controls.list(waveId),
  ]);
  const { shown, next } = shownOf(outlines, page);
  const fits = fitsOf(wave, outlines, workloads, now);
  const pauseFor = (instanceId: string, workloadId?: string) => {
    const { by, reason, deltas, at } = pauseOf(orders, wave.startedAt ?? '', instanceId, workloadId) ?? {};
    return by && { by, reason, deltas, at };
  };
  const queue = workloads.some(({ state }) => state.sync.status === 'queued')
    ? await judgeQueue(capabilities)
    : undefined;
  const waits = new Map(
    queue?.waiting.map(({ sync: { workload }, position, reason }) => [
      `${workload.waveId}/${workload.workloadId}`,
      { position, reason },
    ]),
  );
  const byId = new Map(workloads.map((workload) => [workload.workloadId, workload]));
  const { status, reason, createdBy, createdAt, startedBy, startedAt, endedAt, attempt } = wave;
  return {
    waveId,
    name: plan.name,
    environment: plan.environment.id,
    status,
    reason,
    createdBy,
    createdAt,
    startedBy,
    startedAt,
    endedAt,
    attempt,
    codeVersion: wave.codeVersion,
    pause: pauseFor(`wave-${waveId}`),
    windows: plan.windows,
    zone: plan.zone,
    blackouts: plan.blackouts,
    onOverrun: plan.onOverrun,
    planHash: plan.hash,
    ...versionOf(wave),
    moving: wave.moving,
    steps: wave.steps ?? {},
    criticalPath: pathLeft(wave, outlines, workloads, now),
    size: plan.size,
    groups: outlines.map(({ members, tiers, ...group }) => {
      const fit = fits.get(group.id);
      const registered = members.flatMap(({ workloadId }) => byId.get(workloadId) ?? []);
      const onPage = tiers.map((tier) => tier.filter((id) => shown.has(id))).filter(({ length }) => length > 0);
      return {
        ...group,
        ...wave.groups[group.id],
        fit: fit && fitSummary(fit),
        pause: pauseFor(`group-${waveId}.${group.id}-${attempt}`),
        wayBack: together(registered.map(({ state }) => wayBackOf(state, allSteps))),
        size: members.length,
        phases: phasesOf(registered),
        tiers: onPage,
        workloads: onPage.flat().map((id) => {
          const workload = byId.get(id);
          const pause = pauseFor(`cutover-${waveId}.${id}-${attempt}`, id);
          return workload === undefined
            ? { workloadId: id }
            : { ...workloadSummary(workload, now, plan.windows), queue: waits.get(`${waveId}/${id}`), pause };
        }),
      };
    }),
    next,
    decommission: afterwards(wave, workloads),
    unheeded: (wave.unheeded ?? []).filter((order) => order.attempt === attempt),
    gates: gates.filter((gate) => gate.status === 'open'),
    attentions: attentions.filter((attention) => attention.status === 'open'),
  };
}

/** Who is on a page, and the last of them if others follow. */
function shownOf(groups: readonly PlannedGroup[], { limit, after }: Page): { shown: Set<string>; next?: string } {
  const all = groups.flatMap(({ tiers }) => tiers.flat());
  const from = after === undefined ? 0 : all.indexOf(after) + 1;
  if (after !== undefined && from === 0)
    throw refuse('invalidInput', 'There is no such page.', [
      { path: 'after', value: after, message: 'no such workload in this wave', fix: 'use `next` of the page before' },
    ]);
  const shown = all.slice(from, from + limit);
  const last = shown.at(-1);
  return { shown: new Set(shown), ...(last === undefined || from + limit >= all.length ? {} : { next: last }) };
}

function phasesOf(workloads: readonly WorkloadDocument[]): Record<string, number> {
  const phases: Record<string, number> = {};
  for (const { state } of workloads) phases[state.phase] = (phases[state.phase] ?? 0) + 1;
  return phases;
}

/** What is left after commits: what staged points cost, when people are asked about them, and how many sources may go by hand. */
function afterwards({ plan, decommission = {} }: WaveDocument, workloads: readonly WorkloadDocument[]) {
  const groups = Object.entries(decommission);
  return {
    after: plan.decommission.after,
    asksAt: groups.flatMap(([, { dueAt }]) => dueAt ?? []).sort()[0],
    asking: groups.flatMap(([groupId, { asking }]) => (asking === undefined ? [] : [groupId])),
    staged: stagedIn(workloads),
    removable: workloads.filter(({ state }) => state.decommission?.deletedAt !== undefined).length,
  };
}
