// What is different between two looks at a wave, as data: the plain view writes it as lines, the JSON view as objects.
import type { StepRecord } from '../../../shared/lifecycle/state.ts';
import type { WaveView, WorkloadView } from '../../harness/api.ts';
import { steps } from '../../harness/steps.ts';
import type { Snapshot } from '../../harness/watch.ts';

export type Change =
  | { type: 'wave'; status: string; reason?: string | undefined }
  | { type: 'group'; group: string; status: string; reason?: string | undefined }
  | { type: 'step'; whose: string; number: number; step: string; status: string; seconds?: number | undefined }
  | { type: 'phase'; workload: string; phase: string }
  | { type: 'sync'; workload: string; status: string; kind: string; percent?: number | undefined }
  | { type: 'point'; workload: string; kind: string; deltas: number; bytes: number }
  | { type: 'gate'; group: string; gate: string; question: string }
  | { type: 'attention'; step: string; workloads: string[]; message: string; suggestion: string };

type Steps = Readonly<Record<string, Pick<StepRecord, 'status' | 'attempt' | 'startedAt' | 'endedAt'>>>;

/** Everything that is new in `after`. */
export function changesBetween(before: Snapshot | undefined, after: Snapshot): Change[] {
  const changes: Change[] = [];
  const { wave } = after;
  if (before?.wave.status !== wave.status) changes.push({ type: 'wave', status: wave.status, reason: wave.reason });
  changes.push(...stepChanges('environment', before?.wave.steps, wave.steps));
  for (const group of wave.groups) {
    const old = before?.wave.groups.find(({ id }) => id === group.id);
    if (group.status !== undefined && old?.status !== group.status)
      changes.push({ type: 'group', group: group.id, status: group.status, reason: group.reason });
  }
  for (const workload of workloadsOf(wave)) {
    const old = before && workloadsOf(before.wave).find(({ workloadId }) => workloadId === workload.workloadId);
    changes.push(...workloadChanges(old, workload));
  }
  for (const { id, groupId, name, question } of wave.gates)
    if (!before?.wave.gates.some((gate) => gate.id === id))
      changes.push({ type: 'gate', group: groupId ?? 'the environment', gate: name, question });
  for (const { id, step, workloadIds, failure } of wave.attentions)
    if (!before?.wave.attentions.some((attention) => attention.id === id)) {
      const { message, suggestion } = failure;
      changes.push({ type: 'attention', step, workloads: workloadIds, message, suggestion });
    }
  return changes;
}

/** Steps 1 to 3 are the environment's, all others a workload's. */
function stepChanges(whose: string, old: Steps | undefined, now: Steps): Change[] {
  return steps.flatMap(({ number, name, title }): Change[] => {
    const step = now[name];
    const before = old?.[name];
    if (step === undefined || (step.status === before?.status && step.attempt === before.attempt)) return [];
    const worked = step.status === 'completed' || step.status === 'failed';
    const seconds = worked && step.endedAt && (Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000;
    return [{ type: 'step', whose, number, step: title, status: step.status, seconds: seconds || undefined }];
  });
}

function workloadChanges(old: WorkloadView | undefined, now: WorkloadView): Change[] {
  const workload = now.workloadId;
  const changes = stepChanges(workload, old?.steps, now.steps);
  if (old?.phase !== now.phase) changes.push({ type: 'phase', workload, phase: now.phase });
  const { sync, totals, lastPoint } = now;
  if (sync.kind !== undefined && sync.kind !== 'delta' && sync.status === 'running') {
    const percent = percentOf(sync.progress);
    const tenth = (value: number | undefined) => Math.floor((value ?? 0) / 25);
    const isNew = old?.sync.syncId !== sync.syncId || old?.sync.status !== 'running';
    if (isNew || tenth(percentOf(old?.sync.progress)) !== tenth(percent))
      changes.push({ type: 'sync', workload, status: sync.status, kind: sync.kind, percent });
  }
  if (sync.status === 'stalled' && old?.sync.status !== 'stalled')
    changes.push({ type: 'sync', workload, status: 'stalled', kind: sync.kind ?? '' });
  if (lastPoint !== undefined && lastPoint.syncId !== old?.lastPoint?.syncId) {
    const bytes = { initial: totals.initialBytes, delta: totals.deltaBytes, final: totals.finalBytes }[lastPoint.kind];
    changes.push({ type: 'point', workload, kind: lastPoint.kind, deltas: totals.deltas, bytes });
  }
  return changes;
}

export function percentOf(progress: { doneBytes: number; totalBytes: number } | undefined): number | undefined {
  return progress && progress.totalBytes > 0 ? Math.floor((100 * progress.doneBytes) / progress.totalBytes) : undefined;
}

/** The workloads of all groups that have a state. */
export function workloadsOf(wave: WaveView): WorkloadView[] {
  return wave.groups.flatMap(({ workloads }) => workloads.filter((one): one is WorkloadView => 'phase' in one));
}
