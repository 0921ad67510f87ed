const everyMs = 500;

/** Counts a sync's work and says at most twice a second, by the clock `now` in milliseconds, how far it is. */
export class Meter {
  readonly #totalBytes: number;
  readonly #report: (progress: Progress) => void;
  readonly #now: () => number;
  #done = 0;
  #written = 0;
  #reportedAt: number;
  #doneThen = 0;
  #rate = 0;

  constructor(totalBytes: number, report: (progress: Progress) => void, now: () => number) {
    this.#totalBytes = totalBytes;
    this.#report = report;
    this.#now = now;
    this.#reportedAt = now();
  }

  add({ compared = 0, changed = 0 }: { compared?: number; changed?: number }): void {
    this.#done = Math.min(this.#done + compared, this.#totalBytes);
    this.#written += changed;
    const elapsed = this.#now() - this.#reportedAt;
    if (elapsed < everyMs) return;
    const now = ((this.#done - this.#doneThen) * 1000) / elapsed;
    this.#rate = this.#rate === 0 ? now : this.#rate * 0.7 + now * 0.3;
    this.#reportedAt += elapsed;
    this.#doneThen = this.#done;
    this.#report({
      doneBytes: this.#done,
      totalBytes: this.#totalBytes,
      writtenBytes: this.#written,
      bytesPerSecond: Math.round(this.#rate),
    });
  }
}

export interface Progress {
  doneBytes: number;
  totalBytes: number;
  writtenBytes: number;
  bytesPerSecond: number;
}
