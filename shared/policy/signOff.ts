// Whether a UAT that was signed off in an earlier attempt still stands.
import type { WorkloadEvent } from '../lifecycle/events.ts';

/** What voids a sign-off: its step was undone, by a rollback, or the workload has another plan. */
const voids: ReadonlySet<WorkloadEvent['type']> = new Set<WorkloadEvent['type']>([
  'landfall.step.undone',
  'landfall.step.undoFailed',
  'landfall.workload.replanned',
  'landfall.workload.unregistered',
]);

/** The events that `standingSignOff` looks at. */
export const signOffEvents: readonly WorkloadEvent['type'][] = ['landfall.step.completed', ...voids];

/** The sign-off of a workload's UAT that nothing has voided since, from its log in order. */
export function standingSignOff(log: readonly WorkloadEvent[]): { at: string; evidence: unknown } | undefined {
  const last = log.filter(({ type }) => signOffEvents.includes(type)).findLast(isOfUat);
  return last?.type === 'landfall.step.completed' ? { at: last.time, evidence: last.data.evidence } : undefined;
}

/** Other steps come and go without touching it; a new plan touches everything. */
function isOfUat({ data }: WorkloadEvent): boolean {
  return !('step' in data) || data.step === 'uat';
}
