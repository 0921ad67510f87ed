import type { PlatformEvent } from './events.ts';
import type { StepRecord } from './state.ts';

export type StepEvent = Extract<PlatformEvent, { type: `landfall.step.${string}` }>;

/** How a step stands after one more of its events: the same for a workload's steps and for the environment's. */
export function stepAfter(before: StepRecord | undefined, event: StepEvent): StepRecord {
  const endedAt = event.time;
  const known = before ?? { status: 'running', attempt: 1, startedAt: event.time };
  switch (event.type) {
    case 'landfall.step.started':
      return {
        status: 'running',
        attempt: event.data.attempt,
        startedAt: event.time,
        ...(before?.seconds === undefined ? {} : { seconds: before.seconds }),
      };
    case 'landfall.step.completed':
      return {
        ...known,
        status: 'completed',
        endedAt,
        seconds: (Date.parse(endedAt) - Date.parse(known.startedAt)) / 1000,
        evidence: event.data.evidence,
        checked: event.data.checked,
      };
    case 'landfall.step.skipped': {
      const { evidence, by, reason } = event.data;
      return { ...known, status: 'skipped', endedAt, evidence, decided: { by, reason } };
    }
    case 'landfall.step.failed':
      return { ...known, status: 'failed', endedAt, failure: event.data.failure };
    case 'landfall.step.undone': {
      const { byHand } = event.data;
      return { ...known, status: 'undone', endedAt, ...(byHand === undefined ? {} : { decided: byHand }) };
    }
    case 'landfall.step.undoFailed':
      return { ...known, status: 'undoFailed', endedAt, failure: event.data.failure };
  }
}
