// When something of a story happens: counted in activities, from the beginning, or from when somebody first comes to a
// phase. The latter reaches what is rare or short, such as the way back.
import type { Chance } from '../../local/durable/chance.ts';
import type { Phase } from '../../shared/lifecycle/phases.ts';
import type { EventDocument } from '../../shared/store/documents.ts';

export interface Moment {
  /** The phase that a workload enters; absent: the beginning. */
  after?: Phase;
  /** So many activities later, from 1. */
  calls: number;
}

/** The phases before a cutover has begun, and those of the cutover. */
export const early: readonly Phase[] = ['preparing', 'replicating', 'testing', 'tested', 'cutoverQueued'];
export const late: readonly Phase[] = ['stoppingServices', 'finalSync', 'sourceOff', 'launching', 'trafficMoved'];

/** A moment of a story of about so many activities: most are soon after one of these phases. */
export function drawMoment(chance: Chance, activities: number, phases: readonly Phase[]): Moment {
  const after = phases[chance.below(phases.length)];
  return after === undefined || chance.happens(0.3)
    ? { calls: 1 + chance.below(activities) }
    : { after, calls: 1 + chance.below(chance.happens(0.5) ? 3 : 12) };
}

/** In words, such as "activity 3 after sourceOff". */
export function momentInWords({ after, calls }: Moment): string {
  return after === undefined ? `activity ${calls}` : `activity ${calls} after ${after}`;
}

/** Counts what has happened so far. */
export class Moments {
  /** How many activities there were. */
  calls = 0;
  readonly #since = new Map<Phase, number>();

  /** Reads of what was written that somebody has entered a phase. */
  reads(document: { kind: string }): void {
    if (document.kind !== 'event') return;
    const { event } = document as EventDocument;
    if (event.type !== 'landfall.workload.phaseEntered' || this.#since.has(event.data.phase)) return;
    this.#since.set(event.data.phase, this.calls);
  }

  /** Whether somebody has been in a phase. */
  have(phase: Phase): boolean {
    return this.#since.has(phase);
  }

  /** Whether the activity that was counted last is the one that is meant. */
  isNow({ after, calls }: Moment): boolean {
    const since = after === undefined ? 0 : this.#since.get(after);
    return since !== undefined && this.calls - since === calls;
  }
}
