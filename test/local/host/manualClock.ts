// Time that stands still until a test moves it.
import type { Clock } from '../../../local/durable/clock.ts';

export class ManualClock implements Clock {
  #now: number;
  #alarms = new Set<{ time: number; wake: () => void }>();
  #changed: (() => void)[] = [];

  constructor(now: string) {
    this.#now = Date.parse(now);
  }

  now(): number {
    return this.#now;
  }

  at(time: number, wake: () => void): () => void {
    const alarm = { time, wake };
    this.#alarms.add(alarm);
    for (const resolve of this.#changed.splice(0)) resolve();
    return () => this.#alarms.delete(alarm);
  }

  /** Lets time pass without waking anybody. */
  skip(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Resolves when `count` alarms are set. */
  async armed(count: number): Promise<void> {
    while (this.#alarms.size < count) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  /** Moves to a moment, alarm by alarm; whoever is woken sets a new alarm before time goes on. */
  async advance(to: string): Promise<void> {
    const end = Date.parse(to);
    const count = this.#alarms.size;
    for (;;) {
      const [next] = [...this.#alarms].sort((a, b) => a.time - b.time);
      if (!next || next.time > end) break;
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.time);
      next.wake();
      await this.armed(count);
    }
    this.#now = Math.max(this.#now, end);
  }
}
