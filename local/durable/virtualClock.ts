// Time that stands still until it is moved: it jumps to the next alarm when all is quiet.
import type { Clock } from './clock.ts';

export class VirtualClock implements Clock {
  #now: number;
  readonly #alarms = new Set<{ time: number; wake: () => void }>();

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  iso(): string {
    return new Date(this.#now).toISOString();
  }

  at(time: number, wake: () => void): () => void {
    const alarm = { time, wake };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** The earliest alarm that is set. */
  get next(): number | undefined {
    return this.#alarms.size === 0 ? undefined : Math.min(...[...this.#alarms].map(({ time }) => time));
  }

  /** Jumps to the earliest alarm and wakes whoever set one for that time. */
  jump(): void {
    this.#now = Math.max(this.#now, this.next ?? this.#now);
    for (const alarm of [...this.#alarms]) {
      if (alarm.time > this.#now) continue;
      this.#alarms.delete(alarm);
      alarm.wake();
    }
  }
}
