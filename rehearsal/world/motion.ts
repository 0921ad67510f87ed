// How time passes in a modelled world: everything that can happen now happens, then the clock jumps to what comes next.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { VirtualClock } from '../../local/durable/virtualClock.ts';

const quietTurns = 5;
const longestMs = 3 * 86_400_000;

export class Motion {
  readonly clock: VirtualClock;
  /** What a story that does not go on shows of itself. */
  summary: () => string = () => '';
  /** Whether a failure belongs to the story instead of ending it. */
  expects: (error: unknown) => boolean = () => false;
  #bustle = 0;
  #pending = 0;
  #trouble: unknown;

  constructor(start: string) {
    this.clock = new VirtualClock(start);
  }

  /** Counts work as going on until it is done; its failure ends the story at the next look. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#pending++;
    this.#bustle++;
    return work
      .catch((error: unknown) => {
        if (!this.expects(error)) this.#trouble ??= error;
        throw error;
      })
      .finally(() => {
        this.#pending--;
        this.#bustle++;
      });
  }

  /** Tracks work that nobody waits for. */
  aside(work: Promise<unknown>): void {
    this.track(work).catch(() => {});
  }

  later(milliseconds: number, work: () => Promise<void>): void {
    this.clock.at(this.clock.now() + milliseconds, () => this.aside(work()));
  }

  /** Lets everything happen, jumping over idle time, until something is true. */
  async until(isTrue: () => unknown, what = 'what was waited for', withinMs = longestMs): Promise<void> {
    const end = this.clock.now() + withinMs;
    for (;;) {
      for (let quiet = 0; quiet < quietTurns; ) {
        if (this.#trouble !== undefined) throw this.#trouble;
        if (isTrue()) return;
        const before = this.#bustle;
        await nextTurn();
        quiet = this.#bustle === before && this.#pending === 0 ? quiet + 1 : 0;
      }
      const { next } = this.clock;
      if (next === undefined || next > end) throw new Error(`never happened: ${what}\n${this.summary()}`);
      this.clock.jump();
    }
  }

  /** Lets everything happen that can happen now. */
  async quiet(): Promise<void> {
    for (let quiet = 0; quiet < quietTurns; ) {
      const before = this.#bustle;
      await nextTurn();
      quiet = this.#bustle === before && this.#pending === 0 ? quiet + 1 : 0;
    }
  }

  /** Lets a stretch of virtual time pass. */
  async pass(milliseconds: number): Promise<void> {
    let over = false;
    this.clock.at(this.clock.now() + milliseconds, () => {
      over = true;
    });
    await this.until(() => over, 'time passes', milliseconds);
  }

  /** Lets work that is going on come to its end, without the clock. */
  async settle(): Promise<void> {
    for (let turn = 0; this.#pending > 0 && turn < 1000; turn++) await nextTurn();
  }
}
