// Builds the evidence pack from what was read: pure.
import type { Verification } from '../journal/verifyWave.ts';
import type { PlannedGroup } from '../model/plan.ts';
import { stepNames } from '../model/steps.ts';
import { msBetween } from '../policy/duration.ts';
import type { EntryDocument, EventDocument, WaveDocument, WorkloadDocument } from '../store/documents.ts';
import { EvidencePack } from './pack.ts';
import { attemptsOf, cut, sectionOf } from './section.ts';

export interface Facts {
  wave: WaveDocument;
  groups: readonly PlannedGroup[];
  workloads: readonly WorkloadDocument[];
  /** The wave's own journal. */
  entries: readonly EntryDocument[];
  /** Events of the workloads that get a section, by workload. */
  events: ReadonlyMap<string, readonly EventDocument[]>;
  verification: Verification;
  builtAt: string;
  next?: string | undefined;
}

type Data = Readonly<Record<string, unknown>>;
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The pack; sections for the workloads whose events are given, rows for all. */
export function buildPack({
  wave,
  groups,
  workloads,
  entries,
  events,
  verification,
  builtAt,
  next,
}: Facts): EvidencePack {
  const { plan } = wave;
  const { valid, misfits, head, root, checked, open } = verification;
  const sorted = [...workloads].sort((a, b) => (a.workloadId < b.workloadId ? -1 : 1));
  const own = entries.map(({ entry }) => entry);
  const said = (entry: (typeof own)[number]) => ({
    at: entry.time,
    by: entry.source,
    why: text(entry.data['reason']) ?? text(entry.data['comment']),
  });
  const pack: EvidencePack = {
    waveId: wave.waveId,
    name: plan.name,
    environment: plan.environment.id,
    builtAt,
    status: wave.status,
    reason: wave.reason,
    postedBy: wave.createdBy,
    startedBy: wave.startedBy,
    startedAt: wave.startedAt,
    endedAt: wave.endedAt,
    attempt: wave.attempt,
    codeVersion: wave.codeVersion,
    plan: {
      hash: plan.hash,
      zone: plan.zone,
      windows: plan.windows.map(({ opens, closes }) => ({ opens, closes })),
      versions: own
        .filter(({ type }) => type === 'landfall.wave.versioned')
        .map((entry) => ({ ...said(entry), before: String(entry.data['before']), after: String(entry.data['after']) })),
    },
    steps: stepNames.flatMap((step) => stepRow(step, sorted)),
    environmentSteps: attemptsOf(own.filter(({ data }) => data['workloads'] === undefined)),
    groups: groups.map(({ id, tiers }) => groupRow(wave, id, tiers.flat(), sorted)),
    workloads: sorted.map(workloadRow),
    approvals: own
      .filter(({ type }) => /^landfall\.gate\.(decided|delegated|commented|closed)$/.test(type))
      .map((entry) => ({
        ...said(entry),
        gate: String(entry.data['name']),
        groupId: text(entry.data['groupId']),
        decision: decisionOf(entry.type, entry.data),
      })),
    orders: own
      .filter(({ type }) => type === 'landfall.order.given' || type === 'landfall.wave.statusChanged')
      .map((entry) => ({ ...said(entry), order: orderOf(entry.type, entry.data) })),
    questions: questionsOf(own),
    undone: [...events].flatMap(([workloadId, documents]) => undoneOf(workloadId, documents)),
    journal: { valid, misfits, head, root, verified: checked.workloads, anchors: checked.anchors, open },
    sections: [...events].map(([workloadId, documents]) => sectionOf(workloadId, documents)),
    next,
  };
  return EvidencePack.parse(pack);
}

/** What was undone of a workload, and whether that worked. The reason is that of the way back, where an undo has none. */
function undoneOf(workloadId: string, documents: readonly EventDocument[]): EvidencePack['undone'] {
  let wayBack: string | undefined;
  return documents.flatMap(({ event }): EvidencePack['undone'] => {
    if (event.type === 'landfall.workload.phaseEntered' && event.data.phase === 'rollingBack')
      wayBack = event.data.reason;
    const one = { at: event.time, by: event.source, workloadId };
    if (event.type === 'landfall.step.undoFailed')
      return [{ ...one, why: event.data.failure.message, step: event.data.step, outcome: 'failed' }];
    if (event.type !== 'landfall.step.undone') return [];
    const { step, byHand, reason = wayBack } = event.data;
    if (byHand !== undefined)
      return [{ ...one, by: `user:${byHand.by}`, why: byHand.reason, step, outcome: 'undone by hand' }];
    return [{ ...one, why: reason, step, outcome: 'undone' }];
  });
}

function stepRow(step: string, workloads: readonly WorkloadDocument[]): EvidencePack['steps'] {
  const records = workloads.flatMap(({ state }) => state.steps[step] ?? []);
  if (records.length === 0) return [];
  const stands: Record<string, number> = {};
  for (const { status } of records) stands[status] = (stands[status] ?? 0) + 1;
  const ends = records.flatMap(({ endedAt }) => endedAt ?? []).sort();
  const lengths = records.flatMap(({ seconds }) => seconds ?? []).sort((a, b) => a - b);
  return [
    {
      step,
      stands,
      first: records.map(({ startedAt }) => startedAt).sort()[0],
      last: ends.at(-1),
      longestSeconds: lengths.at(-1),
      medianSeconds: lengths[Math.floor((lengths.length - 1) / 2)],
    },
  ];
}

function groupRow(
  { plan, groups }: WaveDocument,
  groupId: string,
  ids: readonly string[],
  workloads: readonly WorkloadDocument[],
): EvidencePack['groups'][number] {
  const downtimes = workloads
    .filter((one) => ids.includes(one.workloadId))
    .flatMap(({ state }) => state.downtime ?? []);
  const began = downtimes.map((one) => one.began).sort()[0];
  const ended =
    downtimes.length > 0 && downtimes.every((one) => one.ended !== undefined)
      ? downtimes
          .map((one) => one.ended ?? '')
          .sort()
          .at(-1)
      : undefined;
  const window = began === undefined ? undefined : plan.windows.find((one) => one.opens <= began && began < one.closes);
  return {
    groupId,
    status: groups[groupId]?.status ?? 'planned',
    reason: groups[groupId]?.reason,
    workloads: ids.length,
    began,
    ended,
    window: window && { opens: window.opens, closes: window.closes },
    inWindow: window === undefined || ended === undefined ? undefined : ended <= window.closes,
  };
}

function workloadRow({ workloadId, plan, state, head }: WorkloadDocument): EvidencePack['workloads'][number] {
  const { downtime, steps, validation, phase } = state;
  const results = validation?.results ?? [];
  const before = steps['stopServices']?.checked?.before as
    | { predicted?: { expectedSeconds: number; highSeconds: number } }
    | undefined;
  return {
    workloadId,
    groupId: plan.groupId,
    source: plan.source.id,
    target: plan.target.name,
    phase,
    downtime: downtime && {
      began: downtime.began,
      ended: downtime.ended,
      seconds: downtime.ended === undefined ? undefined : Math.max(0, msBetween(downtime.began, downtime.ended) / 1000),
      predicted: before?.predicted,
    },
    checks: {
      passed: results.filter(({ passed }) => passed).length,
      failed: results.filter(({ passed }) => !passed).length,
    },
    undone: Object.entries(steps).flatMap(([step, { status }]) => (status.startsWith('undo') ? [step] : [])),
    version: head.version,
    hash: head.hash,
  };
}

function decisionOf(type: string, data: Data): string {
  if (type === 'landfall.gate.decided') {
    const whose = text(data['onBehalfOf']);
    const workloads = Array.isArray(data['workloads']) ? ` for ${data['workloads'].join(', ')}` : '';
    return `${data['decision']}${workloads}${whose === undefined ? '' : ` on behalf of ${whose}`}`;
  }
  if (type === 'landfall.gate.delegated') return `delegated to ${data['to']}`;
  return type === 'landfall.gate.commented' ? 'comment' : `gate ${data['after']}`;
}

function orderOf(type: string, data: Data): string {
  if (type === 'landfall.wave.statusChanged')
    return `wave ${data['before']} → ${data['after']} (attempt ${data['attempt']})`;
  const accepts = data['acceptDataLoss'] === true ? ', accepting data loss' : '';
  const workloads = Array.isArray(data['workloadIds']) ? ` of ${data['workloadIds'].join(', ')}` : '';
  const to = text(data['to']);
  return cut(`${data['action']}${workloads}${to === undefined ? '' : ` to ${to}`}${accepts}`, 500);
}

function questionsOf(own: readonly { type: string; time: string; source: string; data: Data }[]) {
  const answers = new Map(
    own
      .filter(({ type }) => type === 'landfall.attention.answered')
      .map(({ data, source, time }) => [
        data['attentionId'],
        `${data['choice']} by ${source} at ${time}: ${data['reason']}`,
      ]),
  );
  return own
    .filter(({ type }) => type === 'landfall.attention.raised')
    .map(({ data, time }) => ({
      at: time,
      step: String(data['step']),
      failure: text(data['reason']) ?? '',
      answer: answers.get(data['attentionId']),
    }));
}
