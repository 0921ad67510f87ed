// The critical path of a wave, of one that is stored and of one that is only planned.
import type { PlannedGroup, WavePlan } from '../../shared/model/plan.ts';
import { type WavePath, wavePath } from '../../shared/policy/wavePath.ts';
import type { WaveDocument, WorkloadDocument } from '../../shared/store/documents.ts';

/** Of what is left of a wave: groups that have committed are through. */
export function pathLeft(
  { groups }: WaveDocument,
  outlines: readonly PlannedGroup[],
  workloads: readonly WorkloadDocument[],
  now: string,
): WavePath {
  const left = outlines.filter(({ id }) => groups[id]?.status !== 'committed');
  return wavePath(left, workloads, now);
}

/** Of a plan about whose workloads nothing was measured yet. */
export function pathOfPlan({ groups, workloads }: WavePlan, now: string): WavePath {
  const unborn = { points: [], syncRuns: [], launched: undefined, steps: {} };
  return wavePath(
    groups,
    workloads.map((plan) => ({ plan, state: unborn })),
    now,
  );
}
