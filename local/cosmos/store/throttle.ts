// Provisioned throughput, if it is asked for: each physical partition has its even share of the container's request
// units a second. As in the service an operation is charged when it is done, so the last one may go beyond; whoever
// comes then is told to wait until what is owed has come in.
import { CosmosError } from '../errors.ts';
import type { Container } from './catalog.ts';

interface Bucket {
  units: number;
  filledAt: number;
}

export class Throttle {
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Throws 429 with substatus 3200 and the time to wait. */
  admit(container: Container, rangeId: number): void {
    const perSecond = shareOf(container);
    if (perSecond === undefined) return;
    const { units } = this.#filled(container, rangeId, perSecond);
    if (units > 0) return;
    const retryAfter = Math.max(1, Math.ceil(((1 - units) / perSecond) * 1000));
    throw new CosmosError(
      429,
      'TooManyRequests',
      `The request rate is above the ${perSecond} request units a second of partition ${rangeId}; retry in ${retryAfter} ms, or raise the throughput of container ${container.id}.`,
      3200,
      {},
      { 'x-ms-retry-after-ms': String(retryAfter) },
    );
  }

  spend(container: Container, rangeId: number, charge: number): void {
    const perSecond = shareOf(container);
    if (perSecond !== undefined) this.#filled(container, rangeId, perSecond).units -= charge;
  }

  #filled(container: Container, rangeId: number, perSecond: number): Bucket {
    const now = this.#now();
    const name = `${container.number}/${rangeId}`;
    const bucket = this.#buckets.get(name) ?? { units: perSecond, filledAt: now };
    this.#buckets.set(name, bucket);
    bucket.units = Math.min(perSecond, bucket.units + ((now - bucket.filledAt) * perSecond) / 1000);
    bucket.filledAt = now;
    return bucket;
  }
}

const shareOf = ({ throughput, ranges }: Container) => throughput && throughput.throughput / ranges.length;
