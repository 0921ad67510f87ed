// `maxConcurrentRequests` and `maxOutstandingRequests` of host.json: so many HTTP functions run at once, so many run or
// wait; who comes on top is refused (https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook#hostjson-settings).
import { Refusal } from './refusals.ts';

export class RequestLimit {
  readonly #atOnce: number;
  readonly #outstanding: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce = Number.POSITIVE_INFINITY, outstanding = Number.POSITIVE_INFINITY) {
    this.#atOnce = atOnce;
    this.#outstanding = outstanding;
  }

  /** Runs the work when its turn comes; throws a Refusal (429) when too many wait already. */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.#running + this.#waiting.length >= this.#outstanding)
      throw new Refusal(429, 'Too many requests are outstanding.', { 'retry-after': '1' });
    if (this.#running >= this.#atOnce) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#running++;
    try {
      await work();
    } finally {
      // The next one takes over the place.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
