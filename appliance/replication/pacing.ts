// Sends no faster than the line allows at the time. One for each sync: all of its disks share it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pace } from '../../shared/protocol/commands.ts';

export interface PacingClock {
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

const systemClock: PacingClock = {
  now: Date.now,
  sleep: async (milliseconds, signal) => void (await sleep(milliseconds, undefined, { signal })),
};

// Longer than this nobody sleeps without another look: the rate may rise meanwhile.
const longestSleepMs = 1000;

/** Hands out the right to send bytes. Never bursts: what was not sent in time is not saved up. */
export class Pacing {
  readonly #pace: readonly { from: number; bytesPerSecond: number | null }[];
  readonly #clock: PacingClock;
  /** When everything that was handed out has been sent at the pace of its time. */
  #sentAt = 0;
  #turn: Promise<void> = Promise.resolve();

  /** `pace`: ascending; before its first instant and without a rate there is no limit. */
  constructor(pace: Pace, clock: PacingClock = systemClock) {
    this.#pace = pace.map(({ from, bytesPerSecond }) => ({ from: Date.parse(from), bytesPerSecond }));
    this.#clock = clock;
  }

  /** Resolves when so many bytes may be sent, in the order of asking; rejects when the signal aborts. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const mine = this.#turn.then(() => this.#wait(bytes, signal));
    this.#turn = mine.catch(() => {});
    await mine;
  }

  async #wait(bytes: number, signal: AbortSignal): Promise<void> {
    for (let left = bytes; left > 0; ) {
      signal.throwIfAborted();
      const now = this.#clock.now();
      const rate = this.#rateAt(now);
      if (rate === null) return;
      const waitMs = Math.max(0, this.#sentAt - now);
      if (waitMs > 0) {
        await this.#clock.sleep(Math.min(waitMs, longestSleepMs), signal);
        continue;
      }
      // A second's worth at a time: a large request is charged at the rates of the seconds in which it is sent.
      const part = Math.min(left, rate);
      this.#sentAt = now + (part / rate) * 1000;
      left -= part;
    }
  }

  #rateAt(now: number): number | null {
    return this.#pace.findLast(({ from }) => from <= now)?.bytesPerSecond ?? null;
  }
}
