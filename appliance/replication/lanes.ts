// Work in several lanes over one row of things that rise in order, with a mark below which all of it is done.

/** How far work has come, although things end in another order than they began. */
export class Mark {
  readonly #open = new Set<number>();
  #next: number;

  constructor(first: number) {
    this.#next = first;
  }

  /** All is to be done again. */
  restart(): void {
    this.#next = 0;
  }

  begin(first: number): void {
    this.#open.add(first);
    this.#next = Math.max(this.#next, first);
  }

  /** `next` is the first position after the thing that began at `first`. */
  end(first: number, next: number): void {
    this.#open.delete(first);
    this.#next = Math.max(this.#next, next);
  }

  /** Everything before this position is done. */
  get position(): number {
    return Math.min(this.#next, ...this.#open);
  }
}

/** Runs `work` on everything that comes, some at a time; ends only when none is in flight any more, also on failure. */
export async function inLanes<T>(
  things: AsyncIterable<T> | Iterable<T>,
  lanes: number,
  signal: AbortSignal,
  work: (thing: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const running = new Set<Promise<void>>();
  try {
    for await (const thing of things) {
      either.throwIfAborted();
      const one = work(thing, either)
        .catch((error: unknown) => failed.abort(error))
        .finally(() => running.delete(one));
      running.add(one);
      if (running.size >= lanes) await Promise.race(running);
    }
  } catch (error) {
    failed.abort(error);
  }
  await Promise.all(running);
  if (signal.aborted) throw signal.reason;
  if (failed.signal.aborted) throw failed.signal.reason;
}

/** As Promise.all, but it rejects only when all have ended: none of them uses lent memory any more then. */
export async function allDone(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
