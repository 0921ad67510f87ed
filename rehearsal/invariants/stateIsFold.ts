// Invariant 10. The events are folded here a second time, each as it is written, and held against the state document.
import { apply } from '../../shared/lifecycle/fold.ts';
import type { WorkloadState } from '../../shared/lifecycle/state.ts';
import type { EventDocument } from '../../shared/store/documents.ts';
import type { Invariant } from './invariant.ts';

export const stateIsFold: Invariant = {
  number: 10,
  says: 'the state equals the fold of the events',
  watch: ({ documents }) => {
    const folded = new Map<string, WorkloadState>();
    return {
      written: (document) => {
        if (document.kind !== 'event') return [];
        const { waveId, workloadId, version, event } = document as unknown as EventDocument;
        const who = `${waveId}/${workloadId}`;
        const before = folded.get(who);
        if (version !== (before?.version ?? 0) + 1)
          return [`${who}: event ${version} follows event ${before?.version ?? 0}`];
        const applied = apply(before, event);
        if ('illegal' in applied) return [`${who}: ${event.type} is illegal: ${applied.illegal}`];
        const stored = documents.workload(waveId, workloadId)?.state;
        const isSame = stored?.version === applied.state.version && sameJson(applied.state, stored);
        // Of equals the stored one is kept: what the next event leaves alone in both is one object then.
        folded.set(who, isSame ? stored : applied.state);
        // The state is written before its events; it is compared when the last of them has come.
        if (isSame || stored === undefined || stored.version > applied.state.version) return [];
        return [`${who}: the state at version ${version} is not the fold of its events`];
      },
    };
  },
};

/** Whether two values are the same as JSON carries them: what is undefined is absent. */
function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const name in left) if (!sameJson(left[name], right[name])) return false;
  for (const name in right) if (right[name] !== undefined && left[name] === undefined) return false;
  return true;
}
