// One alarm for all timers: armed for the earliest stored time, whatever their number.
import type { Clock } from './clock.ts';

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Makes sure that it rings at `time` or earlier. */
  by(time: number): void {
    if (time >= this.#at) return;
    this.#cancel?.();
    this.#at = time;
    this.#cancel = this.#clock.at(time, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#at = Number.NEGATIVE_INFINITY;
  }
}
