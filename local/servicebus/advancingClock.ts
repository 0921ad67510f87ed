// A clock for tests: it runs as the system's does, and can be moved forward. Whatever was due in between happens at
// once. Clients keep the real time: their own renewals and timeouts do not come sooner.
import { type Clock, systemClock } from './core/environment.ts';

interface Alarm {
  at: number;
  run: () => void;
  cancel: () => void;
}

export class AdvancingClock implements Clock {
  #ahead = 0;
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  wake(at: number, run: () => void): () => void {
    const alarm: Alarm = { at, run, cancel: () => {} };
    this.#alarms.add(alarm);
    this.#arm(alarm);
    return () => this.#drop(alarm);
  }

  /** Moves the time forward by `ms`. */
  advance(ms: number): void {
    this.#ahead += ms;
    for (const alarm of [...this.#alarms].sort((a, b) => a.at - b.at)) {
      if (alarm.at <= this.now()) this.#ring(alarm);
      else this.#arm(alarm);
    }
  }

  #arm(alarm: Alarm): void {
    alarm.cancel();
    alarm.cancel = systemClock.wake(alarm.at - this.#ahead, () => this.#ring(alarm));
  }

  #ring(alarm: Alarm): void {
    if (!this.#alarms.has(alarm)) return;
    this.#drop(alarm);
    alarm.run();
  }

  #drop(alarm: Alarm): void {
    alarm.cancel();
    this.#alarms.delete(alarm);
  }
}
