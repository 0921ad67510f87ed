// When to load anew: once for a burst of changes, when it is over (editors write a file several times), never twice at the
// same time, and again for what changed meanwhile.

// Longer than an editor takes between truncating a file and filling it.
const quietMilliseconds = 100;

export class Reloads<T> {
  readonly #reload: () => Promise<T>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;
  #waiting: PromiseWithResolvers<T> | undefined;

  constructor(reload: () => Promise<T>) {
    this.#reload = reload;
  }

  /** Something has changed. */
  readonly changed = (): void => {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const before = this.#running ?? Promise.resolve();
      this.#running = before.then(() => this.#run());
    }, quietMilliseconds);
  };

  /** The outcome of the next reload that begins from now on. */
  next(): Promise<T> {
    this.#waiting ??= Promise.withResolvers<T>();
    return this.#waiting.promise;
  }

  /** No reload begins any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    if (this.#isClosed) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    const outcome = await this.#reload();
    waiting?.resolve(outcome);
  }
}
