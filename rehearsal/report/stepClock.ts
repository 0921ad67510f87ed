// Notes when steps begin and complete, from what is committed: the documents themselves keep only how a step stands.
import type { EventDocument, WaveDocument } from '../../shared/store/documents.ts';
import type { Written } from '../world/mirror.ts';

export interface Interval {
  /** `wave/workload`, or the wave alone for the environment's steps. */
  who: string;
  step: string;
  from: string;
  to: string;
  seconds: number;
}

export const secondsBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / 1000);

export class StepClock {
  readonly intervals: Interval[] = [];
  readonly #begun = new Map<string, string>();

  reads(document: Written): void {
    if (document.kind === 'event') {
      const { waveId, workloadId, event } = document as unknown as EventDocument;
      const who = `${waveId}/${workloadId}`;
      if (event.type === 'landfall.step.started') this.#begun.set(`${who} ${event.data.step}`, event.time);
      if (event.type === 'landfall.step.completed') this.#completed(who, event.data.step, event.time);
    }
    if (document.kind !== 'wave') return;
    const { waveId, steps = {} } = document as unknown as WaveDocument;
    for (const [step, { status, startedAt, endedAt }] of Object.entries(steps)) {
      if (status === 'running') this.#begun.set(`${waveId} ${step}`, startedAt);
      if (status === 'completed' && endedAt !== undefined) this.#completed(waveId, step, endedAt);
    }
  }

  #completed(who: string, step: string, to: string): void {
    const from = this.#begun.get(`${who} ${step}`);
    if (from === undefined) return;
    this.#begun.delete(`${who} ${step}`);
    this.intervals.push({ who, step, from, to, seconds: secondsBetween(from, to) });
  }
}
