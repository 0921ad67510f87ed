// Chance that repeats itself: the same seed, the same story.

export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0 and below 1 (mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** True with a probability between 0 and 1. */
  happens(probability = 0): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** At least 0 and below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }
}
