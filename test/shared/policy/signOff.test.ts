import { expect, it } from 'vitest';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import { standingSignOff } from '../../../shared/policy/signOff.ts';

const at = (n: number) => `2026-12-01T00:00:0${n}.000Z`;
function log(...events: [WorkloadEvent['type'], Record<string, unknown>][]): WorkloadEvent[] {
  return events.map(
    ([type, data], n) => ({ id: `${n}`, time: at(n), source: 'platform', type, data }) as WorkloadEvent,
  );
}
const completed = (step: string, evidence: unknown = null) =>
  ['landfall.step.completed', { step, attempt: 1, evidence }] as [WorkloadEvent['type'], Record<string, unknown>];
const undone = (step: string) => ['landfall.step.undone', { step }] as ReturnType<typeof completed>;

it('a sign-off stands whatever else happens to the workload', () => {
  const later = log(completed('uat', 'yes'), completed('initialSync'), undone('stopServices'), [
    'landfall.sync.stalled',
    {},
  ]);
  expect(standingSignOff(later)).toEqual({ at: at(0), evidence: 'yes' });
  expect(standingSignOff(log(completed('uat', 'old'), completed('uat', 'new')))?.evidence).toBe('new');
});

it('a rollback and another plan void it, until UAT is signed off again', () => {
  expect(standingSignOff(log(completed('initialSync')))).toBeUndefined();
  expect(standingSignOff(log(completed('uat'), undone('uat')))).toBeUndefined();
  expect(standingSignOff(log(completed('uat'), ['landfall.step.undoFailed', { step: 'uat' }]))).toBeUndefined();
  expect(standingSignOff(log(completed('uat'), ['landfall.workload.replanned', { version: 2 }]))).toBeUndefined();
  expect(standingSignOff(log(completed('uat'), undone('uat'), completed('uat', 'new')))?.evidence).toBe('new');
});
